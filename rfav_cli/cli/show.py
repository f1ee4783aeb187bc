"""`rfav show`."""

import enum
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rfav_cli.cli.output import emit
from rfav_cli.cli.thresholds import with_thresholds
from rfav_cli.thresholds import Thresholds


class Format(str, enum.Enum):
    """What the store is shown as."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


@with_thresholds
def show(
    path: Annotated[Path, typer.Argument(metavar="STORE", help="The store that `rfav analyze` wrote.")] = Path(
        "rfav.h5"
    ),
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print it.")] = Format.table,  # noqa: A002
    epochs: Annotated[
        bool, typer.Option("--epochs", metavar="", help="A row an epoch in place of a row a layer.")
    ] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", metavar="", help="Follow a run that is being measured, until Ctrl-C; wait for it if need be."
        ),
    ] = False,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - immutable
) -> None:
    """Print the verdict on a store: what became of each layer, held-out loss and accuracy, entropy, correlation."""
    import rfav_cli
    from rfav_cli.render.base import Screen

    if watch:
        from rfav_cli.cli.following import follow

        follow(path, partial(rfav_cli.show, format=format.value, epochs=epochs, thresholds=thresholds))
        return
    emit(rfav_cli.show(path, format=format.value, epochs=epochs, screen=Screen.of(sys.stdout), thresholds=thresholds))
