"""Text for people fits the screen and says what was looked at."""

from __future__ import annotations

import pytest

from rfav_cli.render.base import Screen
from rfav_cli.render.ci import render_check
from tests.render.ci.reports import CLEAN, REPORTS, make, rendered


@pytest.mark.parametrize("width", [40, 60, 120])
def test_text_fits_and_says_what_was_looked_at(width: int) -> None:
    for report in REPORTS.values():
        lines = render_check(report, "text", Screen(width=width)).splitlines()
        assert max(map(len, lines)) <= max(width, 70)
    assert "5 layers × 31 epochs × 1,000 samples: overfitting" in rendered(CLEAN, "text")
    assert "\x1b[1;31mno" not in render_check(make(), "text", Screen())
    assert "\x1b[" in render_check(make(), "text", Screen(colour=True))
