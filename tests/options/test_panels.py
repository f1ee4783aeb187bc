"""The panels of the help."""

from __future__ import annotations

from rfav_cli import options
from rfav_cli.options import FIRST, PANELS, options_of

RECORDS = [
    options.Analyze,
    options.Check,
    options.Plot,
    options.Recommend,
    options.Report,
    options.Train,
    options.Watch,
]


def test_each_stands_once_in_their_order() -> None:
    assert len({FIRST, *PANELS}) == 1 + len(PANELS)


def test_none_is_empty_in_every_command() -> None:
    groups = [*RECORDS, options.Thresholds]
    assert {*PANELS} <= {described.panel for record in groups for _, described in options_of(record)}
