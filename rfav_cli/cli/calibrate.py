"""`rfav calibrate`."""

from __future__ import annotations

import sys

from rfav_cli.cli.groups import Quiet, format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Calibrate, group

EXAMPLES = (
    "rfav calibrate rfav.h5 --epoch 12 --out temperature.json",
    "rfav calibrate runs/exp1/epoch_012.pt --model nets.py:make_net --probe held_out/",
)


@group
class Printed(Quiet):
    """What is printed of a calibration."""

    format: str = format_of("rfav_cli.render:CALIBRATION_FORMATS", "number")


@takes(Calibrate, Printed)
def calibrate(options: Calibrate, printed: Printed) -> None:
    """Print the temperature that a net's scores lack: divided by it they are as sure as they are right."""
    from rfav_cli.commands.calibrate import run
    from rfav_cli.render import Screen, render_calibration
    from rfav_cli.render.calibration import in_words
    from rfav_cli.text import printable

    found = run(options)
    emit(render_calibration(found, printed.format, screen=Screen.of(sys.stdout)))
    if not printed.quiet:
        written = "" if options.out is None else f"{printable(options.out, 1000)}: written\n"
        emit(Screen.of(sys.stderr).encodable(in_words(found)) + written, err=True)
