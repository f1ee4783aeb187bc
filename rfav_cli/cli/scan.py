"""`rfav scan`."""

from __future__ import annotations

import sys

import typer

from rfav_cli.cli.groups import PRINTED, format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Options, Scan, group, option

EXAMPLES = ("rfav scan runs/exp1", "rfav scan runs/exp1/epoch_0.pt --tensors")


@group
class Printed(Options):
    """What is printed of the findings."""

    format: str = format_of("rfav_cli.render:SCAN_FORMATS", "text")
    tensors: bool = option(
        default=False,
        help="List every tensor, class, operator and member of each file in the text, and not the sums alone.",
        panel=PRINTED,
    )


@takes(Scan, Printed)
def scan(options: Scan, printed: Printed) -> None:
    """Say what files are, what is in them and whether rfav would open them, without opening them.

    0 clean, 1 flagged, 2 where one could not be looked through whole.
    """
    from rfav_cli.commands.scan import run
    from rfav_cli.render import Screen, render_scan

    done = run(options)
    screen = Screen.of(sys.stdout)
    if printed.tensors and printed.format == "text":
        from rfav_cli.render.scan import as_listing

        emit(as_listing(done, screen))
    else:
        emit(render_scan(done, printed.format, screen=screen))
    raise typer.Exit(done.code)
