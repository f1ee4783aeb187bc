"""The parent of a command that runs programs: it starts the same command line in a child, and says how that ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from rfav_cli import isolation
from rfav_cli.cli.interrupts import INTERRUPTED
from rfav_cli.cli.output import emit
from rfav_cli.errors import CheckpointError, RfavError
from rfav_cli.text import printable, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

_CHILD = """\
import sys
sys.path[:] = [folder for folder in sys.path if folder]
import json, os
sys.path[:] = json.loads(os.environ["RFAV_CHILD"])["path"]
from rfav_cli.cli import main
main()
"""
"""What the child runs: `-m` would put the current folder, which may be a stranger's, before all else to import from."""
_LOOK_EVERY = 0.2
"""Seconds between two looks at a child that says nothing."""
_PATIENCE = 5.0
"""Seconds that a child has to end after it was asked for the second time."""
_MOST_SAID = 120
"""Characters of what a program wrote that are shown."""
_MOST_STATUS = 2**16
_MOST_BAD = 2**16
"""Characters of what is told of files that ended a child; the system takes no more than twice that of one variable."""
_ASKED = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that are handed on."""
_OF_USER = frozenset(getattr(signal, name, None) for name in (*_ASKED, "SIGQUIT"))
"""Signals by which nothing crashes: somebody sends them."""


def supervise(arguments: list[str]) -> int:
    """Run a command in a child, again where it goes on without a file whose program ended it.

    Returns:
        Its exit code; this process ends by the same signal where it was asked to end by one.

    Raises:
        CheckpointError: a program ended the child.
    """
    bad: dict[str, tuple[str, isolation.Stamp | None]] = {}
    while True:
        child = _Child(arguments, bad)
        code = child.wait()
        child.say_what_was_written(quiet="--quiet" in arguments or "-q" in arguments)
        if code >= 0 and not child.path:  # what ends by itself is past what it was at
            return code
        if child.was_killed:
            return INTERRUPTED
        if -code in child.forwarded or -code in _OF_USER:
            return _end_by(-code)
        error = child.error(code)
        at = child.path
        known = at in bad and bad[at][1] == isolation.stamp_of(at)
        if not at or not child.goes_on or known or len(json.dumps(bad)) > _MOST_BAD:
            raise error
        bad[at] = (error.what, isolation.stamp_of(at))


def _end_by(number: int) -> int:
    """End as the child did."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


class _Child:
    """A child, and what it tells.

    Attributes:
        forwarded: signals that it was sent.
        was_killed: it did not end after it was asked for the second time.
        goes_on: the command goes on without a file whose program ended the child.
        path: the file whose program runs; empty where none does.
    """

    def __init__(self, arguments: list[str], bad: Mapping[str, tuple[str, isolation.Stamp | None]]) -> None:
        self.forwarded: list[int] = []
        self.was_killed = False
        self.goes_on = False
        self.path, self._what, self._seconds = "", "", 0.0
        self._last = ""
        self._rest, self._written = b"", b""
        self._deadline: float | None = None
        self._status, told = os.pipe()
        self._output, written = os.pipe()
        orders = isolation.Orders(told, written, os.getpid(), sys.path, dict(bad))
        self._process: subprocess.Popen[bytes] | None = None
        self._before = dict(self._handlers())
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this command line
                [sys.executable, *(["-I"] if sys.flags.isolated else []), "-c", _CHILD, *arguments],
                env=os.environ | {isolation.CHILD: orders.encoded()},
                pass_fds=(told, written),
                # Signals of the terminal come to this process alone, which hands each on once. A child in a session of
                # its own cannot read the terminal either.
                start_new_session=True,
                stdin=subprocess.DEVNULL if sys.stdin is not None and sys.stdin.isatty() else None,
            )
        finally:
            os.close(told)
            os.close(written)
        for number in self.forwarded:
            self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; below 0 it is that of a signal."""
        assert self._process is not None  # noqa: S101 - started
        try:
            self._listen(self._process)
            return self._process.wait()
        finally:
            for descriptor in (self._status, self._output):
                os.close(descriptor)
            for number, before in self._before.items():
                signal.signal(number, before)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Read what it tells until it has ended; a process of its own that lives on may hold the pipes open."""
        takes = {self._status: self._take_status, self._output: self._take_output}
        while True:
            ended = process.poll() is not None
            ready, _, _ = select.select(list(takes), [], [], 0 if ended else _LOOK_EVERY)
            for descriptor in ready:
                content = os.read(descriptor, 2**16)
                if content:
                    takes[descriptor](content)
                else:
                    del takes[descriptor]
            if ended and not ready:
                return
            if not takes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_EVERY)
            if self._deadline is not None and time.monotonic() > self._deadline:
                self.was_killed = True
                process.kill()

    def _take_status(self, content: bytes) -> None:
        *lines, self._rest = (self._rest + content)[-_MOST_STATUS:].split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                self._hear(json.loads(line))

    def _hear(self, message: Mapping[str, Any]) -> None:
        self.goes_on = bool(message.get("goes_on", self.goes_on))
        if "at" in message:
            path, what, seconds = message["at"] or ("", "", 0.0)
            self.path, self._what, self._seconds = str(path), str(what), float(seconds)
            self._last = self.path or self._last

    def _take_output(self, content: bytes) -> None:
        if len(self._written) < 4 * _MOST_SAID:
            self._written += content

    def say_what_was_written(self, *, quiet: bool) -> None:
        """Say that a program wrote something, which reached neither terminal nor file."""
        text = " ".join(self._written.decode("utf-8", "replace").split())
        if text and not quiet:
            shown = text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID]}…"
            emit(f"note: written while {printable(self._last, 1000)} ran: {whole(shown)}\n", err=True)

    def error(self, code: int) -> RfavError:
        """What to say of its end: that of a signal, below 0, or an exit that is none of rfav's."""
        name = f"code {code}" if code >= 0 else _name_of(-code)
        if not self.path:
            return RfavError(f"the process that measured was ended by {name}", "Try again, and report it.")
        if name == "SIGXCPU":
            why = f"it did not end within {self._seconds:g} s of CPU time while {self._what}"
            return CheckpointError(f"{self.path}: malformed or too large: {why}", isolation.more_time(self._seconds))
        why = f"the process that ran it was ended by {name} while {self._what}"
        remedy = "Save its state_dict and give that, with --model."
        return CheckpointError(f"{self.path}: malformed or too large: {why}", remedy)

    def _handlers(self) -> Iterator[tuple[int, Any]]:
        """Hand signals on from now on; gives what was done of each before."""
        for name in (*_ASKED, "SIGTSTP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                handler: Callable[[int, FrameType | None], None] = self._stop if name == "SIGTSTP" else self._forward
                yield number, signal.signal(number, handler)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        self.forwarded.append(number)
        if len(self.forwarded) > 1:
            self._deadline = time.monotonic() + _PATIENCE
        if self._process is not None:
            self._process.send_signal(number)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z stops both; both go on together."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
            self._process.send_signal(signal.SIGCONT)


def _name_of(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
