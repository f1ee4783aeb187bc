"""`rfav train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

from rfav_cli.cli.groups import Quiet
from rfav_cli.cli.interrupts import INTERRUPTED, Stop, safe_in_run
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Train
from rfav_cli.records import Ranks

EXAMPLES = (
    "rfav train --model nets.py:make_net --data train/ --from-store rfav.h5 --out runs/exp2",
    "rfav train --model nets.py:make_net --data train/ --recipe recipe.toml --probe held_out/ --out runs/exp2",
)


@takes(Train, Quiet)
def train(options: Train, printed: Quiet) -> None:
    """Train a net with penalties on the layers that need them, a checkpoint an epoch."""
    from rfav_cli.cli import NOTHING_SAID
    from rfav_cli.cli.progress.train import TrainingReporter, summary
    from rfav_cli.commands.train import run

    ranks, out = Ranks.of_torchrun(), Path(options.out)
    with (
        TrainingReporter(quiet=printed.quiet or not ranks.first) as reporter,
        Stop("step", reporter.say, lambda: safe_in_run(out), ranks) as stop,
    ):
        done = run(replace(options, ranks=ranks, report=reporter.report, should_stop=lambda: stop.requested))
    if ranks.first and (not printed.quiet or not done.path):
        emit(summary(done), err=not done.path)
    if not done.path:
        raise typer.Exit(NOTHING_SAID)
    if stop.requested and not done.ended:
        raise typer.Exit(INTERRUPTED)
