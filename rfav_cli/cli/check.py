"""`rfav check`."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rfav_cli.cli.groups import PRINTED, format_of
from rfav_cli.cli.interrupts import INTERRUPTED
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.cli.outputs import Besides, printed_and_written
from rfav_cli.options import Check, group, option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rfav_cli.records import CheckReport, Event

EXAMPLES = (
    "rfav check rfav.h5 --min-accuracy 0.5 --output sarif:rfav.sarif",
    "rfav check runs/exp1 --model nets.py:make_net --probe held_out/",
)


@group
class Printed(Besides):
    """What is told of a check."""

    format: str = format_of("rfav_cli.render.ci:CHECK_FORMATS", "text")
    exit_zero: bool = option(
        default=False, help="End with exit code 0 whatever is found, for steps that only upload.", panel=PRINTED
    )
    explain: str | None = option(
        default=None, help="Print what a rule means and what to do, and nothing else.", panel=PRINTED, metavar="RULE"
    )
    quiet: bool = option(
        default=False, help="Say nothing while checkpoints are analysed.", names=("--quiet", "-q"), panel=PRINTED
    )


@takes(Check, Printed)
def check(options: Check, printed: Printed) -> None:
    """Decide whether a model may go on: 0 clean, 1 flagged, 2 where anything that was asked cannot be said."""
    from rfav_cli.cli.config import configured_at
    from rfav_cli.commands.check import checked_into, explain
    from rfav_cli.render.base import Screen
    from rfav_cli.render.ci import CHECK_FORMATS, render_check

    if printed.explain is not None:
        emit(explain(printed.explain))
        return
    first, written = printed_and_written(printed.outputs, printed.format, CHECK_FORMATS)
    paths = [options.paths] if isinstance(options.paths, (str, Path)) else options.paths
    with _reporting([str(path) for path in paths], quiet=printed.quiet) as report:
        done = checked_into(replace(options, location=configured_at("check"), report=report), written)
    emit(render_check(done, first, Screen.of(sys.stdout)))
    if options.write_baseline is not None:
        _say_whether_written(Path(options.write_baseline), done)
    raise typer.Exit(_exit_code(done, exit_zero=printed.exit_zero))


@contextlib.contextmanager
def _reporting(paths: list[str], *, quiet: bool) -> Iterator[Callable[[Event], None]]:
    """What is told of an analysis; a store needs none, and loads nothing for it."""
    from rfav_cli.commands.check import names_stores

    if names_stores([Path(path) for path in paths]):
        yield lambda _: None
        return
    from rfav_cli.cli.progress.analyze import AnalysisReporter

    with AnalysisReporter(quiet=quiet) as reporter:
        try:
            yield reporter.report
        except KeyboardInterrupt:
            reporter.say("stopped; what was measured is kept for the next time")
            raise typer.Exit(INTERRUPTED) from None


def _say_whether_written(baseline: Path, done: CheckReport) -> None:
    from rfav_cli.text import printable

    outcome = "written" if done.code == 0 else "not written: only a run without findings is a baseline"
    emit(f"{printable(baseline, 1000)}: {outcome}\n", err=True)


def _exit_code(done: CheckReport, *, exit_zero: bool) -> int:
    """That of what was found, or 0 where that is asked, which is said aloud."""
    if exit_zero:
        emit(
            f"warning: --exit-zero: THIS STEP PASSES WHATEVER WAS FOUND; the exit code would be {done.code}\n", err=True
        )
        return 0
    return done.code
