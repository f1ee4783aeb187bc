"""`rfav compare`."""

from __future__ import annotations

import sys

from rfav_cli.cli.groups import format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Compare, Options, group

EXAMPLES = ("rfav compare before.h5 after.h5", "rfav compare before.h5 after.h5 --format json")


@group
class Printed(Options):
    """What is printed of a comparison."""

    format: str = format_of("rfav_cli.render:COMPARISON_FORMATS")


@takes(Compare, Printed)
def compare(options: Compare, printed: Printed) -> None:
    """Compare two runs: which has the better held-out loss, how sure that is, and what became of each layer."""
    from rfav_cli.commands.compare import run
    from rfav_cli.render import Screen, render_comparison

    emit(render_comparison(run(options), printed.format, screen=Screen.of(sys.stdout)))
