"""`rfav compare`."""

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from rfav_cli.cli.output import emit
from rfav_cli.cli.thresholds import with_thresholds
from rfav_cli.thresholds import Thresholds


class Format(str, enum.Enum):
    """What the comparison is shown as."""

    table = "table"
    json = "json"


@with_thresholds
def compare(
    path_a: Annotated[Path, typer.Argument(metavar="A", help="The store of one run, such as the one before.")],
    path_b: Annotated[Path, typer.Argument(metavar="B", help="The store of the other, such as after a retraining.")],
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print it.")] = Format.table,  # noqa: A002
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> None:
    """Compare two runs: which has the better held-out loss, how sure that is, and what became of each layer."""
    import rfav_cli
    from rfav_cli.render.base import Screen

    emit(rfav_cli.compare(path_a, path_b, format=format.value, screen=Screen.of(sys.stdout), thresholds=thresholds))
