"""`rfav layers`."""

from __future__ import annotations

import sys

from rfav_cli.cli.groups import format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Layers, Options, group

EXAMPLES = (
    "rfav layers --model nets.py:make_net --probe held_out/",
    "rfav layers runs/traced/epoch_0.ts --probe probe.npz --format json",
)


@group
class Printed(Options):
    """What is printed of the layers."""

    format: str = format_of("rfav_cli.render:LAYER_LIST_FORMATS")


@takes(Layers, Printed)
def layers(options: Layers, printed: Printed) -> None:
    """List the layers of a net before any run: shapes, parameters, and which would be measured, or why not."""
    from rfav_cli.commands.layers import run
    from rfav_cli.render import Screen, render_layers

    emit(render_layers(run(options), printed.format, screen=Screen.of(sys.stdout)))
