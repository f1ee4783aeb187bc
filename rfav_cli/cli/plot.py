"""`rfav plot`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Plot
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.records import Note

EXAMPLES = ("rfav plot rfav.h5", "rfav plot before.h5 after.h5 --figure loss --out loss.png")


@takes(Plot)
def plot(options: Plot) -> None:
    """Draw one of the paper's figures from one store, or from several to compare their runs."""
    from rfav_cli.commands.plot import run

    target = Path(options.out) if options.out else Path(f"{options.figure}.pdf")
    run(replace(options, out=target, report=_tell))
    emit(f"{printable(target, 1000)}: written\n", err=True)


def _tell(note: Note) -> None:
    emit(f"note: {printable(note.text, 2000)}\n", err=True)
