"""Arrays in other people's HDF5 files: none that lies in another file, none that declares far more than there is.

A file is opened once, and read by HDF5 from what was opened. HDF5 trusts the filters of a chunk to give as many bytes
as its shape needs, and reads on in its own memory where they give fewer; so each is unpacked here before.
"""

from __future__ import annotations

import io
import itertools
import math
import os
import weakref
import zlib
from typing import IO, TYPE_CHECKING, Any

import h5py
import numpy as np

from rfav_cli.data.declared import refuse_swelling
from rfav_cli.errors import SampleError
from rfav_cli.files.hdf5 import MOST_CHUNKS, open_stream
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


Dataset = h5py.Dataset
_GZIP, _SHUFFLE, _FLETCHER, _LZF = 1, 2, 3, 32000
_CHECKSUM = 4
"""Bytes that fletcher32 adds to a chunk."""
_REMEDY = "Save it again, with gzip, lzf or no filter."


def data_sets(file: IO[bytes]) -> Mapping[str, Any]:
    """What lies at the top of an open file by its name; a link could lead to another file, so none is followed.

    The file may be closed afterwards.

    Raises:
        OSError, and others: as h5py raises them.
    """
    kept = io.FileIO(os.dup(file.fileno()), closefd=False)  # HDF5 has it for as long as a data set is there
    weakref.finalize(kept, os.close, kept.fileno())
    root = open_stream(kept)
    return {name: root[name] for name in root if isinstance(root.get(name, getlink=True), h5py.HardLink)}


class Stored:
    """A data set, indexed by ascending numbers of samples; each of its chunks is looked at before it is read.

    Args:
        path: the file, for messages.
        data: not empty.

    Raises:
        SampleError: it keeps its values elsewhere, has hardly any of those that it declares, or filters that nobody
            can look into.
    """

    def __init__(self, path: Path, data: h5py.Dataset) -> None:
        self._where = f"{printable(path)}: {printable(data.name)}"
        check(self._where, data)
        self.shape, self.dtype = data.shape, data.dtype
        self._data = data
        self._size = data.file.id.get_filesize()
        self._filters = [] if data.chunks is None else _filters(data)
        if set(self._filters) - {_GZIP, _SHUFFLE, _FLETCHER, _LZF} or _SHUFFLE in self._filters[1:]:
            raise SampleError(f"{self._where} has chunks with filters that are not known", _REMEDY)
        self._seen: set[int] = set()

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, numbers: Any) -> NDArray[Any]:
        """Samples by their ascending numbers, or all of them for `()`.

        Raises:
            SampleError: a chunk of theirs is not as large as its shape makes it.
            OSError, and others: as h5py raises them.
        """
        if self._data.chunks is not None:
            rows = np.arange(len(self)) if isinstance(numbers, tuple) else np.asarray(numbers)
            for row in np.unique(rows // self._data.chunks[0]).tolist():
                self._look_at(row)
        return np.asarray(self._data[numbers])

    def _look_at(self, row: int) -> None:
        """Look at the chunks with the samples of a number, in chunks."""
        if row in self._seen:
            return
        chunk = self._data.chunks
        steps = [range(0, length, step) for length, step in zip(self.shape[1:], chunk[1:], strict=True)]
        if math.prod(map(len, steps)) > MOST_CHUNKS:
            raise SampleError(f"{self._where} has samples in more than {MOST_CHUNKS:,} chunks", _REMEDY)
        due = math.prod(chunk) * self.dtype.itemsize
        for others in itertools.product(*steps):
            if problem := self._problem((row * chunk[0], *others), due):
                raise SampleError(f"{self._where} is damaged: a chunk {problem}", _REMEDY)
        self._seen.add(row)

    def _problem(self, place: tuple[int, ...], due: int) -> str:
        """What is wrong with a chunk; empty where nothing is, or where it was never written."""
        stored = self._data.id.get_chunk_info_by_coord(place)
        if stored.byte_offset is None:
            return ""
        if stored.byte_offset + stored.size > self._size:
            return "does not lie in the file"
        filters = [each for n, each in enumerate(self._filters) if not stored.filter_mask >> n & 1]
        if set(filters) & {_GZIP, _LZF}:
            _, content = self._data.id.read_direct_chunk(place)
            size = _unpacked(content, filters, due)
        else:
            size = stored.size - _CHECKSUM * filters.count(_FLETCHER)
        return "" if size == due else f"has not the {due:,} bytes of its shape"


def check(where: str, data: h5py.Dataset) -> None:
    """Refuse a data set that keeps its values elsewhere, or has hardly any of those that it declares.

    Args:
        where: the file and its name, for messages.
        data: it.

    Raises:
        SampleError: it does.
    """
    if data.is_virtual or data.external:
        raise SampleError(f"{where} keeps its values in other files", "Save them in this one.")
    stored, item = data.id.get_storage_size(), data.dtype.itemsize
    refuse_swelling(where, math.prod(data.shape) * item, stored, data.shape[0] if data.shape else 0)
    if data.chunks:  # which is unpacked whole for each sample in it
        refuse_swelling(f"{where} has chunks that", math.prod(data.chunks) * item, stored)


def _filters(data: h5py.Dataset) -> list[int]:
    """The numbers of the filters that chunks went through, in their order."""
    properties = data.id.get_create_plist()
    return [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]


def _unpacked(content: bytes, filters: list[int], most: int) -> int:
    """The bytes that a chunk unpacks to, counted up to one more than the most."""
    for number in reversed(filters):
        if number == _FLETCHER:
            content = content[:-_CHECKSUM]
        elif number == _GZIP:
            try:
                content = zlib.decompressobj().decompress(content, most + _CHECKSUM + 1)
            except zlib.error:
                return -1
        elif number == _LZF:
            return _unpacked_by_lzf(content, most)
    return len(content)


def _unpacked_by_lzf(content: bytes, most: int) -> int:
    """The bytes that LZF's runs and copies make, as its control bytes say; -1 where it is damaged."""
    at, size, end = 0, 0, len(content)
    while at < end:
        control = content[at]
        if control < 32:  # a run of bytes
            at, size = at + control + 2, size + control + 1
        else:  # a copy of what came before
            long = control >> 5 == 7
            if at + 1 + long >= end:
                return -1
            length = (control >> 5) + 2 + (content[at + 1] if long else 0)
            back = ((control & 31) << 8) + content[at + 1 + long] + 1
            if back > size:
                return -1
            at, size = at + 2 + long, size + length
        if size > most or at > end:
            return -1
    return size
