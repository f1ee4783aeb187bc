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
from rfav_cli.options import Check, Options, group, option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rfav_cli.records import CheckReport, Event

EXAMPLES = (
    "rfav check rfav.h5 --min-accuracy 0.5 --output sarif:rfav.sarif",
    "rfav check runs/exp1 --model nets.py:make_net --probe held_out/",
)


@group
class Printed(Options):
    """What is told of a check."""

    format: str = format_of("rfav_cli.render.ci:CHECK_FORMATS", "text")
    outputs: tuple[str, ...] = option(
        default=(),
        help="FORMAT:FILE writes a file besides, in place of another such file; can be repeated. FORMAT alone is "
        "printed. As a key: outputs.",
        names=("--output", "-o"),
        panel=PRINTED,
        metavar="FORMAT[:FILE]",
        several=True,
        from_project="inside",
    )
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
    from rfav_cli.render.ci import render_check

    if printed.explain is not None:
        emit(explain(printed.explain))
        return
    first, written = _printed_and_written(printed.outputs, printed.format)
    paths = [options.paths] if isinstance(options.paths, (str, Path)) else options.paths
    with _reporting([str(path) for path in paths], quiet=printed.quiet) as report:
        done = checked_into(replace(options, location=configured_at("check"), report=report), written)
    emit(render_check(done, first, Screen.of(sys.stdout)))
    if options.write_baseline is not None:
        _say_whether_written(Path(options.write_baseline), done)
    raise typer.Exit(_exit_code(done, exit_zero=printed.exit_zero))


def _printed_and_written(outputs: Sequence[str], printed: str) -> tuple[str, dict[Path, str]]:
    """The format that is printed, and that of each file.

    Args:
        outputs: FORMAT:FILE or FORMAT.
        printed: the format where none of them is printed.

    Raises:
        typer.BadParameter: there is no such format, several are to be printed, or two are to go to one file.
    """
    from rfav_cli.render.ci import CHECK_FORMATS

    written: dict[Path, str] = {}
    alone = []
    for text in outputs:
        name, _, file = text.partition(":")
        if name not in CHECK_FORMATS:
            raise typer.BadParameter(
                f"--output {text!r}: no format of {', '.join(CHECK_FORMATS)}, as in sarif:out.sarif"
            )
        if ":" not in text:
            alone.append(name)
        elif not file:
            raise typer.BadParameter(f"--output {text!r}: names no file")
        elif Path(file) in written:
            raise typer.BadParameter(f"--output {text!r}: another format goes to that file")
        else:
            written[Path(file)] = name
    if len(alone) > 1:
        raise typer.BadParameter(f"--output: only one format can be printed, not {' and '.join(alone)}")
    return (alone or [printed])[0], written


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
