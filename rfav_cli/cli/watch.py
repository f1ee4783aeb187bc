"""`rfav watch`."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import typer

from rfav_cli.cli.groups import Quiet
from rfav_cli.cli.interrupts import Stop, safe_in_store
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Watch

COLLAPSED = 3
"""Exit code: it was to end at a collapse, and did. No error of rfav, Python or a shell ends with it."""
EXAMPLES = (
    "rfav watch runs/exp1 --model nets.py:make_net --probe held_out/ --idle 600",
    "rfav watch runs/exp1 --model nets.py:make_net --probe held_out/ --until-collapse",
)


@takes(Watch, Quiet)
def watch(options: Watch, printed: Quiet) -> None:
    """Measure the checkpoints of a training as it writes them, and judge the run after each epoch."""
    from rfav_cli.cli.progress.watch import WatchReporter, summary
    from rfav_cli.commands.watch import run

    out = Path(options.out)
    signals = (signal.SIGINT, signal.SIGTERM)
    with (
        WatchReporter(quiet=printed.quiet) as reporter,
        Stop("checkpoint", reporter.say, lambda: safe_in_store(out), signals=signals) as stop,
    ):
        watched = run(replace(options, report=reporter.report, should_stop=lambda: stop.requested))
    if not printed.quiet:
        emit(summary(out, watched))
    if watched.ended == "collapse":
        raise typer.Exit(COLLAPSED)
