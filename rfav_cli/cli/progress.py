"""What a run tells while it goes on: a progress bar on a terminal, one line a checkpoint elsewhere; all on stderr."""

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from rfav_cli import records
from rfav_cli.cli.output import forget
from rfav_cli.text import printable

if TYPE_CHECKING:
    from typing_extensions import Self

LONGEST = 2000
"""Characters of a message."""


class _Stderr:
    """A stream that takes each error of another, such as that of a terminal that hung up, for a reader that is gone."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _unread():
            return self._stream.write(text)

    def flush(self) -> None:
        with _unread():
            self._stream.flush()


@contextmanager
def _unread() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BrokenPipeError from error


class Messages(Console):
    """Where the messages go; a run goes on when nobody reads them any more."""

    def __init__(self) -> None:
        super().__init__(file=cast("IO[str]", _Stderr(sys.stderr)), highlight=False)

    def on_broken_pipe(self) -> None:
        """Say nothing from now on."""
        self.quiet = True
        forget(2)

    def say(self, text: str) -> None:
        """Print a line, which may hold what files say; it steers no terminal."""
        self.print(escape(printable(text, LONGEST)), soft_wrap=True)


class BarReporter(ABC):
    """A bar on a terminal, and lines above it or alone; what is on the bar is for its kinds to say.

    Args:
        quiet: say nothing.
        beside: the bar is that of another process.
    """

    waiting = ("", "")
    """What the bar says before the first event: what is done, and the figures beside it."""

    def __init__(self, *, quiet: bool = False, beside: bool = False) -> None:
        self._quiet = quiet
        self._beside = beside
        self._console = Messages()
        self._bar: Progress | None = None

    @property
    def _has_bar(self) -> bool:
        """Whether there is a bar, of this process or of another that this one tells things beside."""
        return self._console.is_terminal and not self._console.is_dumb_terminal and not self._quiet

    def __enter__(self) -> "Self":
        if self._has_bar and not self._beside:
            self._bar = Progress(*self._columns(), console=self._console, transient=True)
            description, figures = self.waiting
            self._task = self._bar.add_task(description, total=None, figures=figures)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    @abstractmethod
    def _columns(self) -> Iterator[ProgressColumn]:
        """What stands on the bar."""

    def say(self, text: str) -> None:
        """Tell something, above the bar if there is one."""
        if not self._quiet:
            self._console.say(text)


class Reporter(BarReporter):
    """Shows the events of a run."""

    waiting = ("reading", "-")

    def __init__(self, *, quiet: bool = False, beside: bool = False) -> None:
        super().__init__(quiet=quiet, beside=beside)
        self._started = time.monotonic()
        self._done_before: int | None = None
        self._of = ""

    def _columns(self) -> Iterator[ProgressColumn]:
        yield TextColumn("{task.description}")
        yield BarColumn(bar_width=None)
        yield MofNCompleteColumn()
        yield TextColumn("{task.fields[figures]} samples/s")
        yield TimeRemainingColumn()

    def report(self, event: records.Event) -> None:
        """Show one event of a run."""
        if isinstance(event, records.Note):
            self.say(f"note: {event.text}")
        elif isinstance(event, records.BadCheckpoint):
            self.say(f"left out: {event.path}: {event.reason}")
        elif isinstance(event, records.Progress):
            self._advance(event)
        elif not self._has_bar or event.columns["nonfinite"].any():
            self.say(f"{self._of}{_described(event)}")

    def _advance(self, event: records.Progress) -> None:
        self._of = f"{event.done + 1}/{event.total} "
        if self._done_before is None:
            self._done_before = event.done
        if self._bar:
            samples = (event.done - self._done_before) * event.size + event.samples
            rate = samples / max(1e-9, time.monotonic() - self._started)
            self._bar.update(
                self._task,
                description=escape(name_of(event)),
                completed=event.done,
                total=event.total,
                figures=f"{rate:,.0f}",
            )


def name_of(event: records.Progress) -> str:
    """The name of the file that runs through the net, as it fits a bar."""
    return printable(event.checkpoint.replace("\\", "/").rsplit("/", 1)[-1][-32:])


def figures_of(measurement: records.Measurement) -> Iterator[str]:
    """The held-out figures of a checkpoint, where there are labels, and what was left out of its entropies."""
    loss, accuracy = (float(measurement.columns[name]) for name in ("probe/loss", "probe/accuracy"))
    if loss == loss:
        yield f"loss {loss:.4f}  accuracy {accuracy:.4f}"
    if nonfinite := int(measurement.columns["nonfinite"].sum()):
        yield f"{nonfinite:,} entropies are not finite"


def _described(measurement: records.Measurement) -> str:
    checkpoint = measurement.checkpoint
    return "  ".join([f"epoch {checkpoint.epoch}", checkpoint.path, *figures_of(measurement)])
