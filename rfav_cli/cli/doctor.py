"""`rfav doctor`."""

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from rfav_cli.cli.output import emit


class Format(str, enum.Enum):
    """What the findings are shown as."""

    table = "table"
    json = "json"


def doctor(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where a store is to be written.")] = Path(),
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print it.")] = Format.table,  # noqa: A002
) -> None:
    """Say what this machine has: Python, torch, devices, extras, and whether a store can be written here."""
    import rfav_cli
    from rfav_cli.render.base import Screen
    from rfav_cli.render.doctor import as_json, as_table

    findings, screen = rfav_cli.examine(folder), Screen.of(sys.stdout)
    emit(as_json(findings, screen) if format is Format.json else as_table(findings, screen))
