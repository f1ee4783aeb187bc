"""Locks on files and folders, which last as long as the process that holds them, however it ends.

That holds across containers and reused process numbers, where a number in a file would not. Some file systems, and
Windows, have no such locks.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def lock(descriptor: int, *, wait: bool) -> bool | None:
    """Lock an open file: whether that succeeded, None where there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_still(path: Path, descriptor: int) -> bool:
    """Whether an open file is the one under the path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def held(folder: Path) -> Iterator[bool | None]:
    """Hold a folder until the block ends or the process dies, and say whether nobody else does.

    Where the system has no such locks, nothing is held; that is None for a file system that has none.
    """
    if sys.platform == "win32":
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield lock(descriptor, wait=False)
    finally:
        os.close(descriptor)
