"""`rfav show`."""

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer


class Format(str, enum.Enum):
    """What the store is shown as."""

    table = "table"
    json = "json"
    csv = "csv"


def show(
    path: Annotated[Path, typer.Argument(metavar="STORE", help="The store that `rfav analyze` wrote.")] = Path(
        "rfav.h5"
    ),
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print it.")] = Format.table,  # noqa: A002
    epochs: Annotated[
        bool, typer.Option("--epochs", metavar="", help="A row an epoch in place of a row a layer.")
    ] = False,
) -> None:
    """Print what a store holds: entropy and correlation a layer, held-out loss and accuracy."""
    from rfav_cli import api
    from rfav_cli.render.base import Screen

    typer.echo(api.show(path, format=format.value, epochs=epochs, screen=Screen.of(sys.stdout)), nl=False)
