"""What `rfav check` says beside its results."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rfav_cli.cli.interrupts import INTERRUPTED
from rfav_cli.cli.output import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rfav_cli.records import CheckReport, Event


@contextlib.contextmanager
def reporting(paths: list[str], *, quiet: bool) -> Iterator[Callable[[Event], None]]:
    """What is told of an analysis; a store needs none, and loads nothing for it."""
    from rfav_cli.commands.check import names_stores

    if names_stores([Path(path) for path in paths]):
        yield lambda _: None
        return
    from rfav_cli.cli.progress import Reporter

    with Reporter(quiet=quiet) as reporter:
        try:
            yield reporter.report
        except KeyboardInterrupt:
            reporter.say("stopped; what was measured is kept for the next time")
            raise typer.Exit(INTERRUPTED) from None


def say_what_became_of(done: CheckReport, baseline: Path | None) -> None:
    """Whether the baseline was written."""
    from rfav_cli.text import printable

    if baseline is not None:
        what = "written" if done.code == 0 else "not written: only a run without findings is a baseline"
        emit(f"{printable(baseline, 1000)}: {what}\n", err=True)


def exit_code(done: CheckReport, *, exit_zero: bool) -> int:
    """That of what was found, or 0 where that is asked, which is said aloud."""
    if exit_zero:
        emit(
            f"warning: --exit-zero: THIS STEP PASSES WHATEVER WAS FOUND; the exit code would be {done.code}\n", err=True
        )
        return 0
    return done.code
