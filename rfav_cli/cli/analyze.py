"""`rfav analyze`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

from rfav_cli.cli.groups import PRINTED, Quiet
from rfav_cli.cli.interrupts import INTERRUPTED, Stop, safe_in_store
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit, held
from rfav_cli.options import Analyze, group, option
from rfav_cli.records import Ranks
from rfav_cli.remote import shown

EXAMPLES = (
    "rfav analyze runs/exp1 --model nets.py:make_net --probe held_out/",
    "rfav analyze 'runs/traced/*.ts' --probe probe.npz --mean 0.5 --std 0.25 --out traced.h5",
)


@group
class Printed(Quiet):
    """What of an analysis goes elsewhere than into the store."""

    tensorboard: str | Path | None = option(
        default=None,
        help="Write scalars, histograms and images for TensorBoard, too; those of an earlier analysis there are "
        "replaced.",
        kind=Path,
        panel=PRINTED,
        metavar="FOLDER",
        from_project="inside",
    )


@takes(Analyze, Printed)
def analyze(options: Analyze, printed: Printed) -> None:
    """Run held-out samples through every checkpoint of a run and write the store."""
    from rfav_cli.cli.progress.analyze import AnalysisReporter
    from rfav_cli.commands.analyze import run
    from rfav_cli.render.base import count
    from rfav_cli.tensorboard import event_files

    ranks, out = Ranks.of_torchrun(), Path(options.out)
    events = None if printed.tensorboard is None or not ranks.first else Path(printed.tensorboard)
    if events is not None:
        event_files.check(events)
    with (
        AnalysisReporter(quiet=printed.quiet, beside=not ranks.first) as reporter,
        Stop("checkpoint", reporter.say, lambda: safe_in_store(out), ranks) as stop,
    ):
        history = run(replace(options, ranks=ranks, report=reporter.report, should_stop=lambda: stop.requested))
    if events is not None:
        event_files.write(history, events)
        reporter.say(f"note: all epochs in TensorBoard: {event_files.command(history, events)}")
    if not printed.quiet and ranks.first:
        bad = f"; {count(len(history.bad), 'file')} could not be used" if history.bad else ""
        emit(f"{held(shown(out), history)}{bad}\n")
    if stop.requested:
        raise typer.Exit(INTERRUPTED)
