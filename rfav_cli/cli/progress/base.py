"""What all reporters are: lines on stderr, and on a terminal a bar below them."""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console, ConsoleDimensions
from rich.markup import escape
from rich.progress import Progress, ProgressColumn

from rfav_cli.cli.output import forget
from rfav_cli.remote import shown
from rfav_cli.text import printable

if TYPE_CHECKING:
    from typing_extensions import Self

    from rfav_cli.records import Doubt

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

    @property  # type: ignore[misc]  # nobody sets it
    def size(self) -> ConsoleDimensions:
        """That of the terminal that is written to: what has its number is a pipe while a program runs (`isolation`)."""
        columns = lines = 0
        with suppress(OSError, ValueError):
            columns, lines = os.get_terminal_size(sys.stderr.fileno())
        known = columns and lines and "COLUMNS" not in os.environ
        return ConsoleDimensions(columns, lines) if known else super().size

    def on_broken_pipe(self) -> None:
        """Say nothing from now on."""
        self.quiet = True
        forget(2)

    def say(self, text: str) -> None:
        """Print a line, which may hold what files say; it steers no terminal."""
        self.print(escape(printable(shown(text), LONGEST)), soft_wrap=True)


class BarReporter(ABC):
    """A bar on a terminal, and lines above it or alone; what is on the bar is for its kinds to say.

    Args:
        quiet: say nothing.
        beside: the bar is that of another rank.
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
        """Whether there is a bar, of this rank or of another that this one tells things beside."""
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

    def doubt(self, doubt: "Doubt") -> None:
        """Tell why the figures may not be those of the run: to the quiet, too."""
        self._console.say(f"doubt: {doubt.sentence}")
