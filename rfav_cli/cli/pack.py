"""`rfav pack`."""

from pathlib import Path
from typing import Annotated

import typer

from rfav_cli.cli.output import emit


def pack(
    path: Annotated[Path, typer.Argument(metavar="STORE", help="The store; its epochs may lie in STORE.d/.")],
) -> None:
    """Put the epochs that lie in files of their own beside a store into the store."""
    import rfav_cli
    from rfav_cli.render.base import count
    from rfav_cli.text import printable

    emit(f"{printable(path, 1000)}: {count(len(rfav_cli.pack(path)), 'epoch')}\n")
