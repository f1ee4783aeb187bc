"""A file of weights, opened once: what is summed, checked and read is what lies under that one opening of it.

Nothing is mapped. A mapped file that its writer cuts short ends the process that reads it by a signal; what is read
ends in an error that says so.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rfav_cli.errors import CheckpointError
from rfav_cli.files.regular import open_regular
from rfav_cli.files.sizes import bytes_on_disk, swells
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_AT_ONCE = 2**20
_LONGEST_LINE = 2**16
_REAL_SHARE = 1 / 32
"""A file of many bytes, of which a smaller share was ever written, holds no weights but holes."""
_MOST_HOLES = 1000
"""That are looked at to tell."""
_REMEDY = "Copy or save the file again, or leave it out."


@dataclass
class Part:
    """Some bytes of a file.

    Attributes:
        name: what the file calls them.
        start: the place of the first.
        length: how many there are.
        crc: their checksum, CRC-32, by the file; None where it has none.
        held: they themselves, where they have been read.
    """

    name: str
    start: int
    length: int
    crc: int | None = None
    held: memoryview | bytes | None = None


class Opened:
    """A file that is open, or a part of one that is in memory.

    Attributes:
        path: the file, for messages.
        file: to be read by who needs a file.
        size: in bytes, as it was opened.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.file = file
        self._status = self._look()
        self.size = self._status[0]
        self._refuse_holes()

    def read(self, start: int, count: int) -> bytes:
        """Some bytes.

        Raises:
            CheckpointError: the file ends before.
        """
        if start < 0 or start + count > self.size:  # looked at before room is made for them
            raise cut_short(self.path)
        self.file.seek(start)
        content = self.file.read(count)
        if len(content) != count:
            raise cut_short(self.path)
        return content

    def fill(self, start: int, room: memoryview) -> None:
        """Put the bytes from a place on into room that there is for them.

        Raises:
            CheckpointError: the file ends before.
        """
        self.file.seek(start)
        while room:
            if not (count := self.file.readinto(room[: 64 * _AT_ONCE])):  # type: ignore[attr-defined]  # of any file
                raise cut_short(self.path)
            room = room[count:]

    def digest(self, parts: Sequence[Part] = ()) -> str:
        """The SHA-256 of all bytes, in hex, with the checksums of parts compared; what is held is not read again.

        Raises:
            CheckpointError: a checksum is wrong, parts lie over each other, or the file has changed.
        """
        whole = hashlib.sha256()
        self.compare(parts, whole.update)
        return whole.hexdigest()

    def compare(self, parts: Sequence[Part], see: Callable[[bytes | memoryview], object] = lambda _: None) -> None:
        """Compare the checksums of parts; see all bytes of the file on the way.

        Raises:
            CheckpointError: as `digest` does.
        """
        at = 0
        for part in sorted(parts, key=lambda part: part.start):
            if part.start < at:
                raise CheckpointError(f"{self.path}: damaged: parts of it are several members", _REMEDY)
            for piece in self._pieces(at, part.start):
                see(piece)
            at, crc = part.start + part.length, 0
            read: Iterable[memoryview | bytes] = self._pieces(part.start, at) if part.held is None else (part.held,)
            for content in read:
                see(content)
                crc = 0 if part.crc is None else zlib.crc32(content, crc)
            if part.crc not in (None, crc):
                name = printable(part.name, 120)
                raise CheckpointError(f"{self.path}: damaged: the checksum of {name!r} is wrong", _REMEDY)
        for piece in self._pieces(at, self.size):
            see(piece)

    @property
    def has_changed(self) -> bool:
        """Whether anyone has written to the file since it was opened."""
        return self._look() != self._status

    def _look(self) -> tuple[int, int]:
        """Size and time of the file."""
        if isinstance(self.file, io.BytesIO):
            return self.file.getbuffer().nbytes, 0
        status = os.fstat(self.file.fileno())
        return status.st_size, status.st_mtime_ns

    def _pieces(self, start: int, stop: int) -> Iterator[memoryview]:
        """The bytes from one place to another, in pieces that are good until the next one."""
        room = memoryview(bytearray(min(_AT_ONCE, max(stop - start, 0))))
        while start < stop:
            piece = room[: stop - start]
            self.fill(start, piece)
            yield piece
            start += len(piece)

    def _refuse_holes(self) -> None:
        """Refuse a file that says to be long, and was for the most part never written.

        Raises:
            CheckpointError: it is such a file.
        """
        if isinstance(self.file, io.BytesIO) or not hasattr(os, "SEEK_DATA"):
            return
        if swells(self.size, bytes_on_disk(os.fstat(self.file.fileno())), _REAL_SHARE):
            real = _written(self.file.fileno(), self.size)
            if swells(self.size, real, _REAL_SHARE):
                raise CheckpointError(
                    f"{self.path}: refused, of its {self.size:,} bytes only {real:,} were ever written", _REMEDY
                )


class Clipped:
    """A file to be read from where it is, of which no more is asked for than it has: room is made for what is asked.

    Args:
        file: the file.
        size: of it, in bytes.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size

    def read(self, count: int) -> bytes:
        """As many bytes as there are, at most `count`."""
        return self._file.read(min(count, self._size))

    def readline(self) -> bytes:
        """A line, or the beginning of one that is longer than any."""
        return self._file.readline(_LONGEST_LINE)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """A file, open.

    Raises:
        CheckpointError: it changes until the block ends; whatever was wrong with it is wrong for that reason.
        OSError: it cannot be opened or read, or is no regular file.
    """
    with open_regular(path) as file:
        whole = Opened(path, file)
        try:
            yield whole
        except Exception as error:
            if whole.has_changed:
                raise changed(path) from error
            raise
        if whole.has_changed:
            raise changed(path)


def digest_of_folder(folder: Path, digests: Mapping[Path, str]) -> str:
    """The digest of a checkpoint that is a folder, from those of its files: of their names, too."""
    whole = hashlib.sha256()
    for file in sorted(digests):
        whole.update(f"{digests[file]} {file.relative_to(folder).as_posix()}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def changed(path: Path) -> CheckpointError:
    """What is said of a file that is written while it is read."""
    return CheckpointError(
        f"{path}: changed while it was read", "Wait until it is written, and try again, or read a copy."
    )


def cut_short(path: Path) -> CheckpointError:
    """What is said of a file that ends before what it says it holds."""
    return CheckpointError(f"{path}: damaged or cut off", _REMEDY)


def _written(descriptor: int, size: int) -> int:
    """The bytes of a file that are no holes; all of them where the file system does not tell."""
    real = at = 0
    for _ in range(_MOST_HOLES):
        try:
            start = os.lseek(descriptor, at, os.SEEK_DATA)
            at = os.lseek(descriptor, start, os.SEEK_HOLE)
        except OSError as error:
            return real if error.errno == errno.ENXIO else size  # there is no more
        real += at - start
    return real
