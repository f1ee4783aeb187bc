"""How much CPU time and memory this process takes, and may take."""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_MIB, _GIB = 2**20, 2**30
_UNKNOWN = 2**62
"""Bytes of memory where the system does not say how much there is."""
_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Files with the limit of a control group, and with what it takes of that: of the second version, and of the first."""


@dataclass(frozen=True)
class Allowance:
    """What a program may take by default; nets of any size need a small part of it (`benchmarks/isolation.py`).

    Attributes:
        seconds: of CPU time until the end of its first forward.
        memory: bytes of one step, beside what there is before.
    """

    SECONDS: ClassVar[float] = 4.0
    SECONDS_PER_GIB: ClassVar[float] = 100.0
    SECONDS_PER_MIB_OF_GRAPH: ClassVar[float] = 18.0
    """torch takes 4 to 6 s to put together, and to run first, what an exported program says of its graph in a MiB of
    JSON; on a slow or busy processor three times that."""
    PER_FORWARD: ClassVar[float] = 20.0
    """How many times as long a later forward may take for each sample as the first one did."""
    MEMORY: ClassVar[int] = 384 * _MIB
    PER_BYTE_OF_FILE: ClassVar[int] = 8
    PER_BYTE_OF_INPUTS: ClassVar[int] = 512
    PER_THREAD: ClassVar[int] = 16 * _MIB
    """A thread's stack counts in full, however little of it is used."""

    seconds: float
    memory: int

    @classmethod
    def of_file(cls, size: int, threads: int, inputs: int = 0, graph: int = 0) -> Allowance:
        """What suits a file.

        Args:
            size: of the file, in bytes.
            threads: that torch computes with; those that wait for others take CPU time as well.
            inputs: size of the samples of a forward, in bytes.
            graph: size of what an exported program says of its graph, in bytes.

        >>> Allowance.of_file(2**20, 1).seconds < 4.1
        True
        """
        more = cls.SECONDS_PER_GIB * size / _GIB + cls.SECONDS_PER_MIB_OF_GRAPH * graph / _MIB
        seconds = (cls.SECONDS + more) * (1 + (threads - 1) / 32)
        memory = cls.MEMORY + cls.PER_BYTE_OF_FILE * size + cls.PER_BYTE_OF_INPUTS * inputs + cls.PER_THREAD * threads
        return cls(seconds, memory)


def cpu_seconds() -> float:
    """CPU time that this process has taken, in all of its threads."""
    times = os.times()
    return times.user + times.system if resource is None else sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def data_bytes() -> int | None:
    """What counts against the limit of data: private memory that may be written; None where nobody counts it.

    What is reserved without access, as CUDA does for terabytes, does not count. The limit of addresses (RLIMIT_AS)
    counts it, so no net would run on a GPU below that.
    """
    return None if resource is None else _bytes_in(Path("/proc/self/status"), "VmData:")


def available_memory() -> int:
    """Three quarters of the memory that is free in this machine, or in the control group of this process."""
    free = [_bytes_in(Path("/proc/meminfo"), "MemAvailable:"), *(_left(*files) for files in _GROUPS)]
    return min((int(0.75 * size) for size in free if size is not None), default=_UNKNOWN)


def _bytes_in(path: Path, name: str) -> int | None:
    """A size that the system gives in KiB; None where it does not."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return None


def _left(limit: str, current: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):  # "max" is no number
        most, used = (int(Path(name).read_text(encoding="ascii")) for name in (limit, current))
        return max(most - used, 0)
    return None


def no_core_dumps() -> None:
    """Have a crash of this process leave no file."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


@contextlib.contextmanager
def bounded_cpu_time(seconds: float) -> Iterator[None]:
    """Within this, the process is ended by SIGXCPU when it has taken so much more CPU time.

    The system counts whole seconds.
    """
    most = math.ceil(cpu_seconds() + seconds)
    with _soft_limit(None if resource is None else resource.RLIMIT_CPU, most):
        yield


@contextlib.contextmanager
def bounded_memory(data: int | None) -> Iterator[None]:
    """Within this, the process gets no memory beyond so many bytes of data in all; None for no limit."""
    with _soft_limit(None if resource is None else resource.RLIMIT_DATA, data):
        yield


@contextlib.contextmanager
def _soft_limit(kind: int | None, most: int | None) -> Iterator[None]:
    """Lower a soft limit; one that the user has set lower stays, and the hard one is never touched."""
    if kind is None or most is None:
        yield
        return
    soft, hard = resource.getrlimit(kind)
    lowest = min(value for value in (soft, hard, most) if value != resource.RLIM_INFINITY)
    resource.setrlimit(kind, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))
