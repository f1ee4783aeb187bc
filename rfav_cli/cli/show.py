"""`rfav show`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.cli.groups import PRINTED, format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Options, Show, group, option

if TYPE_CHECKING:
    from rfav_cli.records import Description

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
    from rfav_cli.commands.show import describe, run

    def text(description: Description) -> str:
        from rfav_cli.render import Screen, render

        screen = Screen.of(sys.stdout)
        return render(description.history, description.verdict, printed.format, epochs=printed.epochs, screen=screen)

    if printed.watch:
        from rfav_cli.cli.live import follow

        follow(Path(str(options.path)), lambda history: text(describe(history, options)))
        return
    emit(text(run(options)))
