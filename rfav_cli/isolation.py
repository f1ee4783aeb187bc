"""Programs that files bring are run in a child process of the command line, step by step, each step within limits.

A command line starts as a process that runs no program: where it meets one, it starts over in a child
(`cli.supervisor`). The child bounds the CPU time and the memory of each step, and tells its parent what it is at, so
that the parent can say of which file it died. In a process that calls the Python API programs run without limits.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import sys
import threading
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rfav_cli.errors import CheckpointError, RanksError
from rfav_cli.files.sizes import bytes_on_disk
from rfav_cli.remote import shown
from rfav_cli.resources import (
    Allowance,
    available_memory,
    bounded_cpu_time,
    bounded_memory,
    cpu_seconds,
    data_bytes,
    no_core_dumps,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHILD = "RFAV_CHILD"
"""Variable of the environment that tells a child what it is: a JSON object, see `Orders`."""
MORE_MEMORY = "If you trust it, give it more by --memory-limit, such as --memory-limit 4GiB."


class ProgramFoundError(BaseException):
    """This command has met a program, and is to start over in a child; no `except Exception` is to hold that up."""


Stamp = tuple[int, int]
"""Size and time of a file, which tell that it is another one now."""


def stamp_of(path: str) -> Stamp | None:
    """What tells that a file has changed; None where it is not here."""
    try:
        status = os.stat(path)  # noqa: PTH116 - an address is no path
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


@dataclass(frozen=True)
class Orders:
    """What a parent tells its child.

    Attributes:
        status: the descriptor that takes what the child is at.
        output: the descriptor that takes what programs print.
        parent: its process.
        path: `sys.path`, so that a folder of files is no place to import from where it was none for the parent.
        bad: file -> why it is not to be run again, and the stamp that it had.
    """

    status: int
    output: int
    parent: int
    path: list[str]
    bad: dict[str, tuple[str, Stamp | None]]

    def encoded(self) -> str:
        """As it stands in the environment."""
        return json.dumps(vars(self))

    @classmethod
    def of_environment(cls) -> Orders | None:
        """Those that this process was given; they are taken out of the environment of its own children."""
        text = os.environ.pop(CHILD, None)
        if text is None:
            return None
        given = json.loads(text)
        given["bad"] = {
            path: (why, None if stamp is None else (stamp[0], stamp[1])) for path, (why, stamp) in given["bad"].items()
        }
        return cls(**given)


@dataclass
class _Account:
    """What a program may take, and took.

    Attributes:
        size: bytes of its file.
        threads: that torch computes with.
        on_cpu: it runs there.
        seconds: of CPU time that it may take in all until the end of its next step.
        used: of these.
        per_sample: seconds that its first forward took.
    """

    size: int
    threads: int
    on_cpu: bool
    seconds: float
    used: float = 0.0
    per_sample: float | None = None


@dataclass
class _Process:
    """What this process is, and what it knows of programs."""

    role: Literal["caller", "command", "child"] = "caller"
    alone: bool = True
    orders: Orders | None = None
    time_limit: float | None = None
    memory_limit: int | None = None
    base: int | None = None
    most: int = 0
    names: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, _Account] = field(default_factory=dict)


_process = _Process()


def start(*, alone: bool = True) -> None:
    """Say that this process is a command line, or the child of one.

    Args:
        alone: there are no ranks that share the command.
    """
    _process.alone = alone
    orders = Orders.of_environment()
    if orders is None:
        # Windows has neither these limits nor signals: programs run in the command itself there.
        _process.role = "command" if sys.executable and os.name == "posix" else "caller"
        return
    _process.role, _process.orders = "child", orders
    for descriptor in (orders.status, orders.output):
        os.set_inheritable(descriptor, False)
    no_core_dumps()
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGXCPU])
    _end_with(orders)
    # What programs write goes to the parent while they run; what this process says of them does not.
    sys.stderr = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace", buffering=1)


def _end_with(orders: Orders) -> None:
    """Have this process end when its parent does, however that ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != orders.parent:  # it has ended before
            os.kill(os.getpid(), signal.SIGKILL)
        return

    def look() -> None:
        while os.getppid() == orders.parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=look, daemon=True).start()


def is_child() -> bool:
    """Whether programs are run in this process within limits."""
    return _process.role == "child"


def is_command() -> bool:
    """Whether this process is a command line that runs no program itself."""
    return _process.role == "command"


def limit(time_limit: float | None, memory_limit: int | None, *, goes_on: bool) -> None:
    """Say what programs may take in this child; None for what suits a file.

    Args:
        time_limit: seconds of CPU time.
        memory_limit: bytes.
        goes_on: the command goes on without a file whose program ended the child.
    """
    _process.time_limit, _process.memory_limit = time_limit, memory_limit
    _tell(goes_on=goes_on)


@contextlib.contextmanager
def called(copy: Path, name: Path) -> Iterator[None]:
    """Within this, what is said of a copy of a file names the file."""
    _process.names[str(copy)] = str(name)
    try:
        yield
    finally:
        del _process.names[str(copy)]


def _name(path: Path) -> str:
    return _process.names.get(str(path)) or shown(path)


@contextlib.contextmanager
def loading(path: Path, *, threads: int, on_cpu: bool, graph: int = 0) -> Iterator[None]:
    """Within this, the program in a file is loaded.

    Args:
        path: the file.
        threads: that torch computes with.
        on_cpu: it is loaded there; elsewhere the driver takes memory that is none of the program's.
        graph: bytes that it says of its graph, which torch takes long to read.

    Raises:
        ProgramFoundError: this process is a command line that runs no programs.
        CheckpointError: the program ended a child before, or needs more memory than it may have.
    """
    if _process.role == "command":
        if not _process.alone:  # those that share a command cannot start over one by one
            raise RanksError(f"{path}: a program, which was not seen at first", "Name it, or leave torchrun out.")
        raise ProgramFoundError
    if _process.role == "caller" or _process.orders is None:
        yield
        return
    name = _name(path)
    why, stamp = _process.orders.bad.get(name, ("", None))
    if why and stamp == stamp_of(name):
        raise CheckpointError(why)
    size = bytes_on_disk(path.stat())
    allowed = Allowance.of_file(size, threads, graph=min(graph, size))
    seconds = allowed.seconds if _process.time_limit is None else _process.time_limit
    account = _Account(size, threads, on_cpu, seconds)
    _process.accounts[name] = account
    try:
        with _step(name, account, "it was loaded"):
            yield
    except Exception as error:
        if is_memory(error) or is_memory(error.__cause__):
            raise CheckpointError(f"{path}: {too_large('it was loaded')}", MORE_MEMORY) from error
        raise


@contextlib.contextmanager
def forward(path: Path, samples: int, size: int) -> Iterator[None]:
    """Within this, a program that was loaded runs on some samples; the first bounds those that follow.

    Args:
        path: its file.
        samples: how many.
        size: of them, in bytes.

    Raises:
        CheckpointError: its first forward needs more memory than it may have; the message does not name the file.
    """
    account = _process.accounts.get(_name(path))
    if account is None:  # of a process that is no child
        yield
        return
    first = account.per_sample is None
    account.seconds += Allowance.PER_FORWARD * (account.per_sample or 0.0) * samples
    before = account.used
    what = f"it was run on {samples} {'sample' if samples == 1 else 'samples'}"
    try:
        with _step(_name(path), account, what, size):
            yield
    except Exception as error:
        if first and is_memory(error):
            raise CheckpointError(too_large(what), MORE_MEMORY) from error
        raise
    if first:
        account.per_sample = (account.used - before) / samples


def more_time(seconds: float) -> str:
    """What to type for a program that did not end.

    Args:
        seconds: of CPU time that it had.

    >>> more_time(4.2)
    'If you trust it, give it more by --time-limit, such as --time-limit 30.'
    """
    return f"If you trust it, give it more by --time-limit, such as --time-limit {math.ceil(seconds / 2) * 10}."


def too_large(what: str) -> str:
    """That a program needs more memory than it may have, in words."""
    return f"malformed or too large: there was not enough memory for it while {what}"


def is_memory(error: BaseException | None) -> bool:
    """Whether there was too little memory; torch's own allocator has no exception of its own for that."""
    if error is None:
        return False
    words = str(error)
    return isinstance(error, MemoryError) or "can't allocate memory" in words or "std::bad_alloc" in words


@contextlib.contextmanager
def _step(name: str, account: _Account, what: str, inputs: int = 0) -> Iterator[None]:
    """Run something of a program's within the limits that are left to it."""
    left = max(account.seconds - account.used, 0.0)
    _tell(at=[name, what, round(account.seconds, 1)])
    started = cpu_seconds()
    try:
        with bounded_cpu_time(left), bounded_memory(_most_data(account, inputs)), _written_elsewhere():
            yield
    finally:
        account.used += cpu_seconds() - started
        _tell(at=None)


def _most_data(account: _Account, inputs: int) -> int | None:
    """Bytes of data that this process may have in a step; None where they are not counted here."""
    now = data_bytes()
    if now is None:
        return None
    if _process.base is None:
        _process.base, _process.most = now, available_memory()
    if _process.memory_limit is not None:
        return _process.base + _process.memory_limit
    most = _process.base + _process.most
    allowed = Allowance.of_file(account.size, account.threads, inputs).memory
    return min(most, now + allowed) if account.on_cpu else most


@contextlib.contextmanager
def _written_elsewhere() -> Iterator[None]:
    """Have what a program writes go to the parent, and no terminal, pipe or file of the user's get it raw."""
    orders = _process.orders
    assert orders is not None  # noqa: S101 - of a child
    _flush()
    streams = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    with warnings.catch_warnings(record=True) as said:
        try:
            for descriptor in streams:
                os.dup2(orders.output, descriptor)
            yield
        finally:
            _flush()
            for descriptor, own in streams.items():
                os.dup2(own, descriptor)
                os.close(own)
            text = "\n".join(str(warning.message) for warning in said)
            _write(orders.output, text[:1000].encode("utf-8", "replace"))


def _flush() -> None:
    with contextlib.suppress(OSError):  # nobody reads it: whoever prints next finds that out
        sys.stdout.flush()


def _tell(**message: Any) -> None:
    """Tell the parent something, on a line."""
    if _process.orders is not None:
        _write(_process.orders.status, json.dumps(message).encode() + b"\n")


def _write(descriptor: int, content: bytes) -> None:
    with contextlib.suppress(OSError):  # the parent has gone, and this process goes after it
        if content:
            os.write(descriptor, content)
