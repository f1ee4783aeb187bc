"""`rfav show`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.cli.groups import PRINTED, format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Judge, Options, Show, group, option

if TYPE_CHECKING:
    from rfav_cli.records import History

EXAMPLES = ("rfav show rfav.h5", "rfav show rfav.h5 --epochs --format csv")


@group
class Printed(Options):
    """What is printed of a store."""

    format: str = format_of("rfav_cli.render.text:FORMATS")
    epochs: bool = option(default=False, help="A row an epoch in place of a row a layer.", panel=PRINTED)
    watch: bool = option(
        default=False,
        help="Follow a run that is being measured, until Ctrl-C; wait for it if need be.",
        panel=PRINTED,
    )


@takes(Show, Printed)
def show(options: Show, printed: Printed) -> None:
    """Print the verdict on a store: what became of each layer, held-out loss and accuracy, entropy, correlation."""
    from rfav_cli.commands.judge import run as judge
    from rfav_cli.commands.open_store import as_history
    from rfav_cli.render import Screen, render

    def text(history: History) -> str:
        verdict = judge(Judge(history, thresholds=options.thresholds))
        return render(history, verdict, printed.format, epochs=printed.epochs, screen=Screen.of(sys.stdout))

    if printed.watch:
        from rfav_cli.cli.live import follow

        follow(Path(str(options.path)), text)
        return
    emit(text(as_history(options.path)))
