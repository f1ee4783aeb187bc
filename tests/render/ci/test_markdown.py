"""The summary of a job is Markdown of ours alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.render.ci.reports import each_report, rendered

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport


@each_report
def test_markdown_has_no_markup_of_others(report: CheckReport) -> None:
    text = rendered(report, "markdown")
    for line in text.splitlines():
        assert line.count("|") in {0, 5}
        assert not re.search(r"[<>`@\[\]\\]|://", line)
