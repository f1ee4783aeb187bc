"""A file appears under its name whole and on disk, or not at all.

A temporary is written in the folder of its target, synchronised and renamed; then the folder is synchronised. Its owner
holds a lock on it until it has its name, so a temporary whose lock is free was left by a killed process. That holds
across containers and reused process numbers, where a number in the name would not.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rfav_cli.errors import StoreError
from rfav_cli.text import what_it_says

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Buffer

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
_DAY = 24 * 3600


class Replacement(io.FileIO):
    """A file whose writes are whole, and which keeps its first error instead of raising it.

    HDF5 cannot give up a file that it fails to finish: the file stays open in the library, and the process may crash at
    its exit. So after an error the writes are dropped, HDF5 closes what it takes for a whole file, and `check` raises.
    """

    error: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        """Write all of the data, or keep the error."""
        view = memoryview(data).cast("B")
        size = len(view)
        try:
            while self.error is None and view:
                view = view[os.write(self.fileno(), view) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        """Set the size, or keep the error."""
        try:
            return super().truncate(size) if self.error is None else size or 0
        except OSError as error:
            self.error = error
            return size or 0

    def check(self) -> None:
        """Raise the first error, if there was one."""
        if self.error is not None:
            raise self.error


@contextmanager
def replacing(path: Path) -> Iterator[Replacement]:
    """A new file that takes the path's place when the block ends; after an error nothing of it is left.

    Raises:
        OSError: it could not be written; what was under the path is still there.
    """
    temporary, descriptor = _new_temporary(path)
    lock = os.dup(descriptor) if sys.platform != "win32" else None
    try:
        with Replacement(descriptor, "r+") as file:
            yield file
            file.check()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        if lock is not None:
            os.close(lock)


def sync_folder(folder: Path) -> None:
    """Put a folder's names on disk, where the file system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def check_writable(path: Path) -> None:
    """Raise OSError unless a file can be made, synchronised and removed beside the path."""
    temporary, descriptor = _new_temporary(path)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
        temporary.unlink()


def remove_abandoned(folder: Path, target: str = "") -> None:
    """Remove the temporaries that killed writers left, those of one target or all; live ones stay."""
    with suppress(OSError):
        for temporary in list(folder.iterdir()):
            if temporary.name.startswith(f".tmp-{target}-" if target else ".tmp-"):
                with suppress(OSError):
                    _remove_if_abandoned(temporary)


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold a folder against others that call this, and say whether it is there.

    The lock is on the folder itself, so it goes with it; who waited for a folder that its holder removed looks again.
    Where the system has no such locks, nothing is held.
    """
    if sys.platform == "win32":
        yield folder.is_dir()
        return
    while True:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            yield False
            return
        try:
            lock(descriptor, wait=True)
            if is_still(folder, descriptor):
                yield True
                return
        finally:
            os.close(descriptor)


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold a folder until the block ends or the process dies, and say whether nobody else does.

    Where the system has no such locks, nothing is held.
    """
    if sys.platform == "win32":
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield lock(descriptor, wait=False) is not False
    finally:
        os.close(descriptor)


@contextmanager
def writing(store: Path) -> Iterator[None]:
    """Turn what the file system refuses into an error that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            what = f"{store}: no room left to write ({what_it_says(error)})"
            remedy = "Free some space and run the same command again: every epoch committed so far is kept."
        else:
            what = f"{store}: cannot be written ({what_it_says(error)})"
            remedy = "Make its folder writable, or choose another --out; every epoch committed so far is kept."
        raise StoreError(what, remedy) from error


def _new_temporary(path: Path) -> tuple[Path, int]:
    """A new, locked, empty file beside the path; its name does not end like a store's."""
    while True:
        temporary = path.with_name(f".tmp-{path.name}-{secrets.token_hex(4)}")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        lock(descriptor, wait=True)
        # Someone may have taken it for abandoned between these two lines.
        if is_still(temporary, descriptor):
            return temporary, descriptor
        os.close(descriptor)


def _remove_if_abandoned(temporary: Path) -> None:
    descriptor = os.open(temporary, os.O_RDWR)
    try:
        free = lock(descriptor, wait=False)
        old = time.time() - os.fstat(descriptor).st_mtime > _DAY
        if free or (free is None and old):
            temporary.unlink()
    finally:
        os.close(descriptor)


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
