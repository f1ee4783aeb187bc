"""`rfav recommend`."""

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from rfav_cli.cli.output import emit
from rfav_cli.cli.thresholds import with_thresholds
from rfav_cli.thresholds import Thresholds


class Format(str, enum.Enum):
    """What the recipe is shown as."""

    table = "table"
    json = "json"


class Rule(str, enum.Enum):
    """How lambda follows from a layer."""

    even = "even"
    paper = "paper"
    balanced = "balanced"


@with_thresholds
def recommend(
    path: Annotated[Path, typer.Argument(metavar="STORE", help="The store that `rfav analyze` wrote.")] = Path(
        "rfav.h5"
    ),
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the recipe, too; another recipe there is replaced."),
    ] = None,
    rule: Annotated[
        Rule,
        typer.Option(
            help="lambda: 0.3 / positions, so that each layer weighs the same (even); 0.001 for every layer (paper); "
            "that, or more where a layer has few positions (balanced).",
            metavar="RULE",
        ),
    ] = Rule.even,
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print it.")] = Format.table,  # noqa: A002
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> None:
    """Recommend penalties for the layers that collapse or are correlated, and the epoch to rewind to."""
    import rfav_cli
    from rfav_cli.render.base import Screen
    from rfav_cli.text import printable

    screen = Screen.of(sys.stdout)
    emit(rfav_cli.recommend(path, out=out, rule=rule.value, format=format.value, screen=screen, thresholds=thresholds))
    if out is not None:
        emit(f"{printable(out, 1000)}: written\n", err=True)
