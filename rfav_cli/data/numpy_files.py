"""Arrays as numpy saves them, `.npy` and `.npz`: no pickle of theirs is read, and no more made than there is of them.

What others can write is not mapped: a file that is cut while it is mapped ends the process. Samples are read by their
numbers from the one file that was opened.
"""

from __future__ import annotations

import math
import os
import re
import threading
import weakref
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from rfav_cli.data.declared import refuse_swelling
from rfav_cli.errors import SampleError
from rfav_cli.files.sizes import bytes_on_disk
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 2**16
_DESCR = re.compile(r"""['"]descr['"]\s*:\s*['"]([<>|=]?[?a-zA-Z]\d{0,9})['"]""")
_ORDER = re.compile(r"""['"]fortran_order['"]\s*:\s*(True|False)\b""")
_SHAPE = re.compile(r"""['"]shape['"]\s*:\s*\(([\d\sL,]*)\)""")
_BETWEEN = str.maketrans("", "", "{}, \n")
_REMEDY = "Save it again with numpy.save or numpy.savez."
_PIECE = 2**20
_MOST_AT_ONCE = 2**26


@dataclass(frozen=True)
class Header:
    """What a `.npy` says of its array.

    Attributes:
        shape: of the array.
        dtype: of its values.
        fortran: the first axis is the one whose neighbours lie side by side.
        start: where the values begin.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int

    @property
    def bytes(self) -> int:
        """That the values take."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def samples(self) -> int:
        """The length of the first axis."""
        return self.shape[0] if self.shape else 0


def read_header(file: IO[bytes]) -> Header:
    """The header of a `.npy`, which is read as text and never as code.

    Args:
        file: at its beginning; afterwards at the values.

    Raises:
        ValueError: it is none, or of an array of something else than plain values.
    """
    magic = file.read(8)
    if len(magic) < 8 or not magic.startswith(MAGIC) or magic[6] not in (1, 2, 3):
        raise ValueError("not written by numpy.save, or damaged")
    width = 2 if magic[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"a header of {length:,} bytes")
    text = file.read(length).decode("latin-1")
    descr, order, shape = _DESCR.search(text), _ORDER.search(text), _SHAPE.search(text)
    if len(text) < length or not (descr and order and shape and _is_all(text, descr, order, shape)):
        raise ValueError("an array of objects or records, or a damaged header")
    dtype: np.dtype[Any] = np.dtype(descr[1])
    if dtype.hasobject:
        raise ValueError("an array of objects")
    sizes = tuple(int(part) for part in re.findall(r"\d+", shape[1]))
    return Header(sizes, dtype, order[1] == "True", 8 + width + length)


def _is_all(text: str, *parts: re.Match[str]) -> bool:
    """Whether a header has nothing beside these."""
    for part in parts:
        text = text.replace(part[0], "", 1)
    return not text.translate(_BETWEEN)


class NpyFile:
    """An array in a file, read by the numbers of its samples.

    Args:
        path: the file, for messages.
        file: it, at its beginning; it may be closed.

    Raises:
        SampleError: it has not the bytes that it declares.
        ValueError: as `read_header` raises it.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        header = read_header(file)
        status = os.fstat(file.fileno())
        if status.st_size - header.start < header.bytes:
            raise _cut_off(printable(path))
        refuse_swelling(printable(path), 0, bytes_on_disk(status), header.samples)
        self.shape, self.dtype = header.shape, header.dtype
        self._path, self._header = path, header
        self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self._reading = threading.Lock()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, numbers: Any) -> NDArray[Any]:
        """Samples by their numbers, or all of them for `()`.

        Raises:
            SampleError: the file was cut meanwhile.
        """
        if isinstance(numbers, tuple) or self._header.fortran:
            array = _array(self._read(0, self._header.bytes), self._header, 0)
            return array if isinstance(numbers, tuple) else array[numbers]
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        places = np.asarray(numbers).tolist()
        content = bytearray().join(self._read(number * size, size) for number in places)
        return np.frombuffer(content, self.dtype).reshape(len(places), *self.shape[1:])

    def _read(self, first: int, size: int) -> bytearray:
        """Some bytes of the values."""
        content = bytearray()
        with self._reading:  # the place in the file is one for all threads
            os.lseek(self._descriptor, self._header.start + first, os.SEEK_SET)
            while piece := os.read(self._descriptor, min(size - len(content), _MOST_AT_ONCE)):
                content += piece
        if len(content) < size:
            raise _cut_off(printable(self._path))
        return content


class Member:
    """An array in an archive, read whole when it is asked for.

    Args:
        archive: of arrays, open.
        info: of the member.
        where: the file and the member, for messages.

    Raises:
        SampleError: it declares more bytes than it has.
        ValueError: as `read_header` raises it.
    """

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> None:
        self._archive, self._info, self._where = archive, info, where
        with archive.open(info) as file:
            self._header = read_header(file)
        if self._header.start + self._header.bytes > info.file_size:
            raise _cut_off(where)
        self.shape, self.dtype = self._header.shape, self._header.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def read(self) -> NDArray[Any]:
        """The array; its checksum is compared.

        Raises:
            SampleError: it unpacks to far more than it has, or to less than it declares.
        """
        size, stored = self._info.file_size, self._info.compress_size
        refuse_swelling(self._where, size, stored, self._header.samples)
        content = bytearray()
        with self._archive.open(self._info) as file:
            while piece := file.read(_PIECE):  # and no more than is declared
                content += piece
        if len(content) < self._header.start + self._header.bytes:
            raise _cut_off(self._where)
        return _array(content, self._header, self._header.start)


def npz_members(path: Path, file: IO[bytes]) -> Mapping[str, Member | ValueError]:
    """The arrays of an archive by their names; in place of one that cannot be read, why not.

    Args:
        path: the file, for messages.
        file: it, open until all that is needed is read.

    Raises:
        SampleError: an array declares more bytes than it has.
        zipfile.BadZipFile, and others: the archive is damaged.
    """
    archive = zipfile.ZipFile(file)
    if len({info.filename for info in archive.infolist()}) < len(archive.infolist()):
        raise SampleError(f"{printable(path)}: damaged: has two arrays of one name", _REMEDY)
    return dict(_members(path, archive))


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, Member | ValueError]]:
    for info in archive.infolist():
        if info.filename.endswith(".npy"):
            name = info.filename.removesuffix(".npy")
            try:
                yield name, Member(archive, info, f"{printable(path)}: {printable(repr(name))}")
            except ValueError as error:
                yield name, error


def array_of(content: bytes) -> NDArray[Any]:
    """The array of a `.npy` that is in memory.

    Raises:
        ValueError: it is none, or has not the bytes that it declares.
    """
    import io

    file = io.BytesIO(content)
    header = read_header(file)
    if len(content) < header.start + header.bytes:
        raise ValueError("cut off, or smaller than its array")
    return _array(bytearray(content), header, header.start)


def _array(content: bytearray, header: Header, start: int) -> NDArray[Any]:
    """The array whose values begin at a place in what was read; it may be written to."""
    values = np.frombuffer(content, header.dtype, math.prod(header.shape), start)
    return values.reshape(header.shape, order="F" if header.fortran else "C")


def _cut_off(where: str) -> SampleError:
    return SampleError(f"{where}: damaged or cut off: it has fewer bytes than its array", _REMEDY)
