"""Options that only the command line has."""

from __future__ import annotations

from typing import Any

from rfav_cli.options import Options, group, option

PRINTED = "What is printed"


@group
class Quiet(Options):
    """How much a command that goes on for long says."""

    quiet: bool = option(default=False, help="Print errors only.", names=("--quiet", "-q"), panel=PRINTED)


def format_of(table: str, default: str = "table") -> Any:
    """The format that a command prints, a name of a table: "module:NAME"."""
    return option(default=default, help="How to print it.", names=("--format", "-f"), choices=table, panel=PRINTED)
