"""What can go wrong at each call by which a command changes files: it is killed there, or the system refuses.

The calls are counted in a good run first, so that each of them has a number.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ERRORS: dict[str, tuple[int, ...]] = {
    "open": (errno.ENOSPC, errno.EACCES, errno.EROFS),
    "write": (errno.ENOSPC, errno.EIO),
    "ftruncate": (errno.ENOSPC, errno.EIO),
    "fsync": (errno.EIO,),
    "mkdir": (errno.ENOSPC, errno.EROFS, errno.EACCES),
    **dict.fromkeys(("replace", "rename", "link"), (errno.EIO, errno.ENOSPC, errno.EROFS)),
    **dict.fromkeys(("unlink", "remove", "rmdir"), (errno.EACCES, errno.EROFS, errno.EIO)),
}
"""Call -> what it fails by, in turn."""
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_BY_OTHER_WAYS = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Attributes:
        kind: "none" counts alone, "kill" ends the process before the call (half of what it was to write is written),
            "once" has that call fail, "lasting" has it and all later ones fail.
        at: the number of the call, from 1 on.
        log: a file that each call is written to, or nothing.
    """

    kind: str
    at: int = 0
    log: str = ""


class _Calls:
    """The calls of this process so far."""

    def __init__(self, fault: Fault, folder: str) -> None:
        self.fault = fault
        self.folder = os.path.realpath(folder)
        self.count = 0
        self.is_within = False
        self.write = os.write
        self.log = os.open(fault.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666) if fault.log else -1

    def concerns(self, name: str, arguments: tuple[Any, ...]) -> bool:
        """Whether a call changes something in the user's folder."""
        if name == "open" and not (len(arguments) > 1 and arguments[1] & _CHANGES):
            return False
        place = arguments[0]
        try:
            path = Path(f"/proc/self/fd/{place}").readlink() if isinstance(place, int) else Path(os.fsdecode(place))
        except OSError:
            return False
        return str(path.absolute()).startswith(self.folder)

    def say(self, name: str, place: object) -> None:
        """Write a call down."""
        if self.log >= 0:
            self.write(self.log, json.dumps([name, str(place)]).encode() + b"\n")

    def happen(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Let what is to go wrong at this call go wrong."""
        self.count += 1
        self.say(name, arguments[0])
        kind, at = self.fault.kind, self.fault.at
        if kind == "none" or not (self.count == at or (kind == "lasting" and self.count > at)):
            return
        if name == "write" and self.count == at:
            self.write(arguments[0], memoryview(arguments[1]).cast("B")[: len(arguments[1]) // 2])
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        number = ERRORS[name][at % len(ERRORS[name])]
        raise OSError(number, os.strerror(number), arguments[0] if isinstance(arguments[0], str) else None)


def install(fault: Fault, folder: str) -> None:
    """Have a fault happen in this process."""
    sys.dont_write_bytecode = True  # which is nothing that the command asks for
    calls = _Calls(fault, folder)
    for name in ERRORS:
        setattr(os, name, _wrapped(calls, name, getattr(os, name)))
    if calls.log >= 0:
        sys.addaudithook(lambda event, arguments: _tell_others(calls, event, arguments))


def _wrapped(calls: _Calls, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Any:
        if calls.concerns(name, arguments):
            calls.happen(name, arguments)
        before, calls.is_within = calls.is_within, True
        try:
            return real(*arguments, **keywords)
        finally:
            calls.is_within = before

    return call


def _tell_others(calls: _Calls, event: str, arguments: tuple[Any, ...]) -> None:
    """Write down what changes files in another way than by the calls that can be made to fail."""
    if calls.is_within or not arguments or not isinstance(arguments[0], (str, bytes, os.PathLike)):
        return
    flags = arguments[2] if event == "open" and isinstance(arguments[2], int) else 0
    if event in _BY_OTHER_WAYS or (event == "open" and flags & _CHANGES):
        path = Path(os.fsdecode(arguments[0])).absolute()
        if str(path).startswith(calls.folder):
            calls.say("another way", path)


def counted(log: Path) -> list[str]:
    """The names of the calls in a log."""
    return [json.loads(line)[0] for line in log.read_text(encoding="utf-8").splitlines()]
