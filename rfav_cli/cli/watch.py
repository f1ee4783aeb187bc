"""`rfav watch`."""

import enum
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from rfav_cli.cli.analyze import RUN, analyze
from rfav_cli.cli.interrupts import Stop, safe_in_store
from rfav_cli.cli.options import flag, option, with_options_of
from rfav_cli.cli.output import emit
from rfav_cli.cli.thresholds import with_thresholds
from rfav_cli.thresholds import Thresholds

COLLAPSED = 3
"""Exit code: it was to end at a collapse, and did. No error of rfav, Python or a shell ends with it."""
WATCH = "How it watches"


@with_thresholds
@with_options_of(analyze, but={"checkpoints", "skip_bad", "no_pack", "shard", "tensorboard", "quiet"})
def watch(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="The folder that the training writes its checkpoints into, or a glob; it may not be there yet.",
            show_default=False,
        ),
    ],
    interval: Annotated[float, option(WATCH, "Seconds between two looks at the folder.", metavar="SECONDS")] = 2.0,
    patience: Annotated[
        float,
        option(
            WATCH,
            "A file that cannot be read is tried again until it has not changed for so long; then it is left out.",
            metavar="SECONDS",
        ),
    ] = 30.0,
    idle: Annotated[
        float | None,
        option(WATCH, "End when no checkpoint has come for so long; by default it goes on.", metavar="SECONDS"),
    ] = None,
    on_collapse: Annotated[
        str | None,
        option(
            WATCH,
            "A command to run once when a layer has collapsed, without a shell; RFAV_STORE, RFAV_EPOCH, RFAV_STATE and "
            "RFAV_LAYERS tell it what.",
            metavar="CMD",
        ),
    ] = None,
    until_collapse: Annotated[
        bool, flag(WATCH, "End when a layer has collapsed, with exit code 3.", "--until-collapse")
    ] = False,
    quiet: Annotated[bool, flag(RUN, "Print errors only.", "--quiet", "-q")] = False,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
    **measuring: Any,
) -> None:
    """Measure the checkpoints of a training as it writes them, and judge the run after each epoch."""
    import rfav_cli
    from rfav_cli.cli.watching import WatchReporter, summary

    out = Path(measuring["out"])
    signals = (signal.SIGINT, signal.SIGTERM)
    with (
        WatchReporter(quiet=quiet) as reporter,
        Stop("checkpoint", reporter.say, lambda: safe_in_store(out), signals=signals) as stop,
    ):
        watched = rfav_cli.watch(
            folder,
            **{name: value.value if isinstance(value, enum.Enum) else value for name, value in measuring.items()},
            interval=interval,
            patience=patience,
            idle=idle,
            on_collapse=on_collapse,
            until_collapse=until_collapse,
            thresholds=thresholds,
            report=reporter.report,
            should_stop=lambda: stop.requested,
        )
    if not quiet:
        emit(summary(out, watched))
    if watched.ended == "collapse":
        raise typer.Exit(COLLAPSED)
