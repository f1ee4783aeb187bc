"""`rfav pack`."""

from __future__ import annotations

from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Pack

EXAMPLES = ("rfav pack rfav.h5", "rfav pack runs/exp1/rfav.h5")


@takes(Pack)
def pack(options: Pack) -> None:
    """Put the epochs that lie in files of their own beside a store into the store."""
    from rfav_cli.commands.pack import run
    from rfav_cli.render.base import count
    from rfav_cli.text import printable

    emit(f"{printable(options.path, 1000)}: {count(len(run(options)), 'epoch')}\n")
