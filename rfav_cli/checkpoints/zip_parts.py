"""Zip archives that follow one another in one file, as torch.distributed.checkpoint writes them."""

from __future__ import annotations

import io
import struct
from typing import IO, TYPE_CHECKING

from rfav_cli.checkpoints.zips import ZIP_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator

_END = b"PK\x05\x06"
_END_SIZE = 22
_LOCATOR, _LOCATOR_SIZE, _LONG_END_SIZE = b"PK\x06\x07", 20, 56
"""Of the longer end that torch writes before the usual one."""
_AT_ONCE = 2**22


class Window(io.RawIOBase):
    """A part of a file, as a file of its own to read from."""

    def __init__(self, file: IO[bytes], start: int, stop: int) -> None:
        self._file, self._start, self._stop, self._place = file, start, stop, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place; before the beginning there is none."""
        place += {0: 0, 1: self._place, 2: self._stop - self._start}[whence]
        if place < 0:
            raise ValueError("before the beginning")
        self._place = place
        return place

    def tell(self) -> int:
        """The place."""
        return self._place

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Fill a buffer as far as the part goes."""
        self._file.seek(self._start + self._place)
        content = self._file.read(max(0, min(len(buffer), self._stop - self._start - self._place)))
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


def parts_of(file: IO[bytes], size: int) -> Iterator[tuple[int, int]]:
    """Where the archives of a file begin and end.

    Yields:
        As far as one follows another; a file that goes on with something else has a rest that is in none.
    """
    start = 0
    while start < size:
        file.seek(start)
        if file.read(4) != ZIP_MAGIC or (stop := _end_of(file, start, size)) is None:
            return
        yield start, stop
        start = stop


def _end_of(file: IO[bytes], start: int, size: int) -> int | None:
    """Where the archive that begins at a place ends, told by an end that points back at its beginning."""
    place = start
    while place < size:
        file.seek(place)
        content = file.read(_AT_ONCE + _END_SIZE)
        found = -1
        while (found := content.find(_END, found + 1)) >= 0 and found <= _AT_ONCE:
            if _points_back(file, start, place + found):
                return place + found + _END_SIZE
        place += _AT_ONCE + 1
    return None


def _points_back(file: IO[bytes], start: int, place: int) -> bool:
    file.seek(place)
    end = file.read(_END_SIZE)
    if len(end) < _END_SIZE:
        return False
    size, offset, comment = struct.unpack_from("<IIH", end, 12)
    file.seek(max(0, place - _LOCATOR_SIZE))
    longer = _LOCATOR_SIZE + _LONG_END_SIZE if file.read(4) == _LOCATOR else 0
    return bool(comment == 0 and start + offset + size + longer == place)
