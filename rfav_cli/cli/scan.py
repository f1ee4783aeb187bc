"""`rfav scan`."""

from __future__ import annotations

import sys

import typer

from rfav_cli.cli.groups import PRINTED, format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.cli.outputs import Besides, printed_and_written
from rfav_cli.options import Scan, group, option

EXAMPLES = ("rfav scan runs/exp1 --output sarif:scan.sarif", "rfav scan runs/exp1/*.pt --tensors")


@group
class Printed(Besides):
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
    from rfav_cli.commands.scan import scanned_into
    from rfav_cli.render import SCAN_FORMATS, Screen, render_scan

    first, written = printed_and_written(printed.outputs, printed.format, SCAN_FORMATS)
    done = scanned_into(options, written)
    screen = Screen.of(sys.stdout)
    if printed.tensors and first == "text":
        from rfav_cli.render.scan import as_listing

        emit(as_listing(done, screen))
    else:
        emit(render_scan(done, first, screen=screen))
    raise typer.Exit(done.code)
