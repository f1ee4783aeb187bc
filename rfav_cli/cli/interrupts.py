"""Ctrl-C, and what else asks a run that goes on for hours to end."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from rfav_cli.errors import RfavError
from rfav_cli.records import ALONE, Ranks

INTERRUPTED = 130


class Stop:
    """The first Ctrl-C, or other signal, asks a run to end in good order, the second ends it at once.

    Of several ranks each is asked by torchrun, which hands Ctrl-C and SIGTERM on; the first of them speaks.

    Args:
        after: what is finished first, in a word.
        say: tells the user something.
        safe: says what is on disk.
        ranks: those that share the command.
        signals: which ask for the end, where there is one rank.

    Attributes:
        requested: one came.
    """

    def __init__(
        self,
        after: str,
        say: Callable[[str], None],
        safe: Callable[[], str],
        ranks: Ranks = ALONE,
        signals: Sequence[signal.Signals] = (signal.SIGINT,),
    ) -> None:
        self.requested = False
        self._after = after
        self._say = say if ranks.first else lambda _: None
        self._safe = safe
        self._signals = signals if ranks.alone else (signal.SIGINT, signal.SIGTERM)

    def __enter__(self) -> "Stop":
        self._before = [signal.signal(number, self._interrupt) for number in self._signals]
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        for number, before in zip(self._signals, self._before, strict=True):
            signal.signal(number, before)
        if error is KeyboardInterrupt:
            self._say(f"stopped at once; {self._safe()}")

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        again = "; Ctrl-C again to stop at once" if number == signal.SIGINT else ""
        self._say(f"stopping after this {self._after}{again}")


def safe_in_store(store: Path) -> str:
    """How many epochs a store holds, in words."""
    from rfav_cli.commands.open_store import open_store

    try:
        count = len(open_store(store))
    except RfavError:
        return "there is no store yet"
    return f"{count} epoch{' is' if count == 1 else 's are'} safe in {store}"


def safe_in_run(folder: Path) -> str:
    """How many checkpoints a run has, in words."""
    count = len(list(folder.glob("epoch_*.pt"))) if folder.is_dir() else 0
    return f"{count} checkpoint{' is' if count == 1 else 's are'} safe in {folder}; --resume goes on"
