"""What `rfav doctor` found, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rfav_cli.render.base import SCHEMA
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.records import Finding
    from rfav_cli.render.base import Screen

STYLES = {"ok": "green", "warning": "yellow", "missing": "red", "damaged": "bold red"}


def as_table(findings: Sequence[Finding], screen: Screen) -> str:
    """A line a finding: state, name, detail; long details are wrapped in their column."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        state = Text(finding.state, style=STYLES[finding.state])
        table.add_row(state, Text(printable(finding.name)), Text(printable(finding.detail)))
    console = screen.console()
    console.print(table)
    return screen.printed(console)


def as_json(findings: Sequence[Finding], _: Screen) -> str:
    """One JSON document, in ASCII whatever the screen."""
    document = {"schema": SCHEMA, "findings": [asdict(finding) for finding in findings]}
    return json.dumps(document, indent=2) + "\n"
