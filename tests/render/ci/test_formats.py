"""Every format of `rfav check`: what its readers ask for, and text that does not break out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.render.ci import CHECK_FORMATS
from tests.render.ci.reports import each_report, rendered

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport


@pytest.mark.parametrize("name", CHECK_FORMATS)
@each_report
def test_no_control_character_comes_through(report: CheckReport, name: str) -> None:
    text = rendered(report, name)
    assert [c for c in text if not (c.isprintable() or c == "\n")] == []
    assert text.endswith("\n")
    text.encode()
