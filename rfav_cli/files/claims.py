"""Claims on folders where the file system has no locks: a file that says which process holds the folder.

A claim is made with O_EXCL, so one process alone makes it. One whose process has ended is taken over, which can be told
of this machine alone, since its last start, and of processes that this one sees; of another's the user has to say so,
by removing the file.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.files.locks import is_still
from rfav_cli.files.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = ".rfav-claim"
_SETTLED = 0.2
"""Seconds after which nobody takes a claim for the one that was there before it."""
_UNWRITTEN = 60.0
"""Seconds after which a claim that says nothing is one whose maker was killed between making and writing it."""
_LARGEST = 4096


@dataclass(frozen=True)
class Claimant:
    """A process that no other one is taken for.

    Attributes:
        host: the name of its machine, with what tells it from others of that name.
        boot: which start of that machine, and which view of its processes.
        pid: its number there.
        started: when it started, by the clock of that machine; a number is used again.
        since: when it claimed, for people.
    """

    host: str
    boot: str
    pid: int
    started: str
    since: str = ""

    @classmethod
    def own(cls) -> Claimant:
        """This process."""
        machine = _first_line("/etc/machine-id")
        boot = f"{_first_line('/proc/sys/kernel/random/boot_id')} {_namespace()}"
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        return cls(f"{platform.node()} {machine}".strip(), boot, os.getpid(), _start_of(os.getpid()), since)

    def in_words(self) -> str:
        """Who it is: "process 123 on trainer, since 2026-11-30 20:00:00"."""
        return f"process {self.pid} on {self.host.partition(' ')[0]}, since {self.since}"

    def has_ended(self) -> bool:
        """Whether it is known to have ended."""
        here = Claimant.own()
        if self.host != here.host:
            return False
        if self.boot != here.boot:  # a restart since is known only where the machine is known to be the same one
            kernel, ours = self.boot.partition(" ")[0], here.boot.partition(" ")[0]
            return " " in here.host and kernel != ours and bool(kernel and ours)
        return not _is_alive(self.pid) or _start_of(self.pid) != self.started


@contextmanager
def claimed(folder: Path) -> Iterator[str]:
    """Hold a folder until the block ends by a claim in it.

    Yields:
        Who holds it and what would end that, in words; nothing where this process holds it.

    Raises:
        OSError: no file can be made there.
    """
    place = folder / NAME
    holder, descriptor = _claim(place)
    if descriptor is None:
        yield holder
        return
    try:
        yield ""
    finally:
        _give_up(place, descriptor)


def _give_up(place: Path, descriptor: int) -> None:
    with suppress(OSError):
        if is_still(place, descriptor):
            place.unlink()
    os.close(descriptor)


def _claim(place: Path) -> tuple[str, int | None]:
    """Who holds a claim in words, or the descriptor of one of our own."""
    while True:
        try:
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            if holder := _holder(place):
                return holder, None
            continue
        try:
            content = json.dumps(asdict(Claimant.own())).encode()
            if os.write(descriptor, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            time.sleep(_SETTLED)
            if is_still(place, descriptor):  # nobody took it for the one before
                return "", descriptor
        except BaseException:
            _give_up(place, descriptor)
            raise
        os.close(descriptor)


def _holder(place: Path) -> str:
    """Who holds a claim, in words; nothing where there is none any more, since its process has ended."""
    try:
        with open_regular(place, follow=False) as file:
            status, content = os.fstat(file.fileno()), file.read(_LARGEST)
            claimant = _parsed(content)
            ended = claimant.has_ended() if claimant else not content and time.time() - status.st_mtime > _UNWRITTEN
            if ended and is_still(place, file.fileno()):
                place.unlink()
                return ""
    except FileNotFoundError:
        return ""
    except OSError:
        claimant = None
    who = f"{claimant.in_words()}; " if claimant else ""
    return f"{who}if that has ended, remove {place}"


def _parsed(content: bytes) -> Claimant | None:
    try:
        found = Claimant(**json.loads(content))
    except (TypeError, ValueError, RecursionError):
        return None
    texts = (found.host, found.boot, found.started, found.since)
    is_number = type(found.pid) is int and 0 < found.pid < 2**31
    return found if is_number and all(type(text) is str for text in texts) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _start_of(pid: int) -> str:
    """When a process started, in ticks since the machine did; nothing where that cannot be told."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _namespace() -> str:
    """Which processes can be seen from here, where the system has several such views."""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no path
    return sys.platform


def _first_line(path: str) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return Path(path).read_text().partition("\n")[0].strip()
    return ""
