"""Files that appear under their names whole and on disk, or not at all.

A temporary is written in the folder of its target, synchronised and renamed; then the folder is synchronised. Its owner
holds a lock on it until it has its name, so a temporary whose lock is free was left by a killed process, and the next
one that writes in this folder removes it.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from rfav_cli.locks import is_still, lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from typing_extensions import Buffer

PREFIX = ".tmp-rfav-"
"""What the names of our temporaries begin with, and those of nobody else."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
_DAY = 24 * 3600
_BINARY = getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def write_whole(contents: Mapping[Path, Iterable[bytes]]) -> None:
    """Write some files; each appears whole, in place of what was there, and none where one cannot be written.

    Each is written beside its place first and renamed when all are on the disk. A special file, such as /dev/stdout,
    is written to as it is. What killed processes left in the folders is removed.

    Args:
        contents: path -> its bytes in pieces, which are asked for as they are written.

    Raises:
        OSError: one cannot be written; its `filename` is that of the file that was asked for.
    """
    with ExitStack() as stack:
        places: dict[Path, Path] = {}
        temporaries: dict[Path, Path] = {}
        for path, pieces in contents.items():
            with _named(path):
                if path.exists() and not path.is_file() and not path.is_dir():
                    with path.open("wb") as file:
                        file.writelines(pieces)
                    continue
                place = path.resolve()  # a link stays one
                if place.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                if place.parent not in {other.parent for other in places.values()}:
                    remove_abandoned(place.parent)
                temporaries[path] = _written(stack, place, pieces)
                places[path] = place
        for path, place in places.items():
            with _named(path):
                temporaries[path].replace(place)
    for folder in {place.parent for place in places.values()}:
        with suppress(OSError):  # the files are in their places
            sync_folder(folder)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error of the system name the file that was asked for, not the temporary."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None


def _written(stack: ExitStack, place: Path, pieces: Iterable[bytes]) -> Path:
    """A temporary with these bytes, on disk; it is locked until the stack ends."""
    temporary, descriptor = stack.enter_context(_temporary(place))
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.writelines(pieces)
        file.flush()
        os.fsync(descriptor)
    return temporary


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
    with _temporary(path) as (temporary, descriptor):
        with Replacement(descriptor, "r+") as file:
            yield file
            file.check()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)


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


def is_full(error: OSError) -> bool:
    """Whether a file could not be written for want of room."""
    return error.errno in _FULL


def remove_abandoned(folder: Path) -> None:
    """Remove the temporaries that killed processes left in a folder; those of live ones stay.

    Where the system has no locks, one counts as left after a day.
    """
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if path.name.startswith(PREFIX):
                with suppress(OSError):
                    _remove_if_abandoned(path)


def _remove_if_abandoned(temporary: Path) -> None:
    descriptor = os.open(temporary, os.O_RDWR | _NO_LINK)
    try:
        status = os.fstat(descriptor)
        free = lock(descriptor, wait=False)
        is_old = time.time() - status.st_mtime > _DAY
        if stat.S_ISREG(status.st_mode) and (free or (free is None and is_old)):
            temporary.unlink()
    finally:
        os.close(descriptor)


@contextmanager
def _temporary(path: Path) -> Iterator[tuple[Path, int]]:
    """A new file beside the path, locked until the block ends, and its descriptor; it is gone after an error.

    The block closes the descriptor before it renames the file: Windows renames no open one.
    """
    temporary, descriptor = _new_temporary(path)
    lock_holder = os.dup(descriptor) if sys.platform != "win32" else None
    try:
        yield temporary, descriptor
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        if lock_holder is not None:
            os.close(lock_holder)


def _new_temporary(path: Path) -> tuple[Path, int]:
    """A new, locked, empty file beside the path; its name is short, however long the path's is."""
    while True:
        temporary = path.with_name(f"{PREFIX}{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        lock(descriptor, wait=True)
        # Someone may have taken it for abandoned between these two lines.
        if is_still(temporary, descriptor):
            return temporary, descriptor
        os.close(descriptor)
