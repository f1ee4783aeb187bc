"""Ctrl-C in a run that goes on for hours."""

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from rfav_cli.errors import RfavError

INTERRUPTED = 130


class StopAfterCheckpoint:
    """The first Ctrl-C ends the run once the checkpoint is safe in the store, the second at once.

    Args:
        store: where the epochs go.
        say: tells the user something.

    Attributes:
        requested: Ctrl-C was pressed.
    """

    def __init__(self, store: Path, say: Callable[[str], None]) -> None:
        self.requested = False
        self._store = store
        self._say = say

    def __enter__(self) -> "StopAfterCheckpoint":
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        if error is KeyboardInterrupt:
            self._say(f"stopped at once; {_safe_in(self._store)}")

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self._say("stopping after this checkpoint; Ctrl-C again to stop at once")


def _safe_in(store: Path) -> str:
    from rfav_cli import api

    try:
        count = len(api.open_store(store))
    except RfavError:
        return "there is no store yet"
    return f"{count} epoch{' is' if count == 1 else 's are'} safe in {store}"
