"""Files that appear under their names whole and on disk, or not at all.

A temporary is written in the folder of its target, synchronised and renamed; then the folder is synchronised. Its owner
holds a lock on it until it has its name, so a temporary whose lock is free was left by a killed process, and the next
one that writes in this folder removes it.
"""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import stat
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rfav_cli.files.locks import is_still, lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from typing_extensions import Buffer

PREFIX = ".tmp-rfav-"
"""What the names of our temporaries begin with, and those of nobody else."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}
_STREAM = re.compile(r"(?:/dev/|/proc/self/)(stdout|stderr|fd/\d+)")
_DAY = 24 * 3600
_BINARY = getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def write_whole(contents: Mapping[Path, Iterable[bytes]]) -> None:
    """Write some files; each appears whole, in place of what was there, and none where one cannot be written.

    Each is written beside its place first. When all are on the disk they are renamed, and where a rename fails, what
    was there before is put back. A kill between two renames leaves some new and the others as they were, each whole;
    the next run writes all of them anew. A stream, such as /dev/stdout, is written to as it is, before any rename.
    What killed processes left in the folders is removed.

    Args:
        contents: path -> its bytes in pieces, which are asked for as they are written.

    Raises:
        OSError: one cannot be written; its `filename` is that of the file that was asked for.
    """
    with ExitStack() as stack:
        streams: dict[Path, Iterable[bytes]] = {}
        written: list[_Written] = []
        for path, pieces in contents.items():
            with _named(path):
                if is_stream(path):
                    streams[path] = pieces
                    continue
                place = Path(os.path.realpath(path))  # a link stays one
                if place.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                if place.parent not in {other.place.parent for other in written}:
                    remove_abandoned(place.parent)
                written.append(_Written(path, place, _written(stack, place, pieces)))
        for path, pieces in streams.items():
            with _named(path):
                _write_stream(path, pieces)
        _put_in_place(stack, written)


class _Written(NamedTuple):
    """A file that is on the disk under another name: what was asked for, where that is, and the name that it has."""

    path: Path
    place: Path
    temporary: Path


def is_stream(path: Path) -> bool:
    """Whether a path is that of a stream, which bytes are sent to and nothing is replaced of."""
    if _STREAM.fullmatch(os.fspath(path)):
        return True
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _write_stream(path: Path, pieces: Iterable[bytes]) -> None:
    named = _STREAM.fullmatch(os.fspath(path))
    if named:  # what was opened by the shell has a place in its file, which a second opening would not know
        descriptor = os.dup({"stdout": 1, "stderr": 2}.get(named[1]) or int(named[1].rpartition("/")[2]))
    else:
        descriptor = os.open(path, os.O_WRONLY | _BINARY)
    try:
        for piece in pieces:
            write_all(descriptor, piece)
    finally:
        os.close(descriptor)


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
    try:
        for piece in pieces:
            write_all(descriptor, piece)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return temporary


def _put_in_place(stack: ExitStack, written: Sequence[_Written]) -> None:
    """Rename files that are on the disk, all of them or none."""
    before: dict[Path, Path] = {}
    if len(written) > 1:
        for path, place, _ in written:
            with _named(path):
                if place.exists():
                    before[place] = _second_name(stack, place)
    try:
        for path, place, temporary in written:
            with _named(path):
                os.replace(temporary, place)  # noqa: PTH105 - beside the other calls of the system
    except BaseException:
        for _, place, temporary in reversed(written):
            if not temporary.exists():
                _put_back(before.get(place), place)
        raise
    for folder, path in {place.parent: path for path, place, _ in written}.items():
        with _named(path):
            sync_folder(folder)


def _put_back(name: Path | None, place: Path) -> None:
    """Have a place hold what it held before, which has another name, or nothing, as far as the system allows it."""
    with suppress(OSError):
        if name is None:
            place.unlink()
            return
        try:
            os.replace(name, place)  # noqa: PTH105 - beside the other calls of the system
        except OSError:  # it may refuse to rename, and go on to do so
            place.unlink()
            os.link(name, place)


def _second_name(stack: ExitStack, place: Path) -> Path:
    """Another name of a file, which is gone when the stack ends; a copy of it where a file can have one name alone."""
    while True:
        name = place.with_name(f"{PREFIX}{secrets.token_hex(8)}")
        try:
            os.link(place, name)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            with place.open("rb") as file:
                name = _written(stack, place, iter(lambda: file.read(1 << 20), b""))
            stack.callback(_remove_second, name, place)
            return name
        stack.callback(_remove_second, name, place)
        if sys.platform == "win32":  # where an open file cannot be renamed, and there are no locks
            return name
        descriptor = os.open(name, os.O_RDONLY | _BINARY)
        stack.callback(os.close, descriptor)
        lock(descriptor, wait=False)
        if is_still(name, descriptor):  # nobody has taken it for abandoned between these lines
            return name


def _remove_second(name: Path, place: Path) -> None:
    with suppress(OSError):
        if place.exists():
            name.unlink(missing_ok=True)


def write_all(descriptor: int, data: Buffer) -> None:
    """Write all of the data, in as many calls as the system takes."""
    view = memoryview(data).cast("B")
    while view:
        view = view[os.write(descriptor, view) :]


class Replacement(io.FileIO):
    """A file whose writes are whole, and which keeps its first error instead of raising it.

    HDF5 cannot give up a file that it fails to finish: the file stays open in the library, and the process may crash at
    its exit. So after an error the writes are dropped, HDF5 closes what it takes for a whole file, and `check` raises.
    """

    error: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        """Write all of the data, or keep the error."""
        try:
            if self.error is None:
                write_all(self.fileno(), data)
        except OSError as error:
            self.error = error
        return memoryview(data).nbytes

    def truncate(self, size: int | None = None, /) -> int:
        """Set the size, or keep the error."""
        try:
            if self.error is None:
                os.ftruncate(self.fileno(), self.tell() if size is None else size)
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
        os.replace(temporary, path)  # noqa: PTH105 - beside the other calls of the system
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
    try:
        descriptor = os.open(temporary, os.O_RDWR | _NO_LINK)
    except PermissionError:  # the second name of a file that may be read alone
        descriptor = os.open(temporary, os.O_RDONLY | _NO_LINK)
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
