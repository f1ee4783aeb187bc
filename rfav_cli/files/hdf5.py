"""HDF5 files from anyone: opened from what is in hand, and their chunks held against their shapes.

The HDF5 library trusts a file in one thing that matters: where a chunk with a filter holds fewer bytes than its shape
needs, it reads on beyond them, in memory that is not the file's (seen up to HDF5 2.0). So who reads chunks with filters
asks `wrong_chunks` first.
"""

from __future__ import annotations

import io
import math
import os
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import h5py
    from typing_extensions import Buffer

SIGNATURE = b"\x89HDF\r\n\x1a\n"
CHUNK_CACHE = 1 << 17
"""Bytes of the chunks of a dataset that HDF5 keeps. By its own default it is 8 MiB for each dataset that is open."""
MOST_CHUNKS = 1_000_000
"""Chunks of a dataset that are looked at; each takes a microsecond."""
_FIRST_BLOCK = 512
"""A file may begin with so many bytes that are not HDF5's, or a power of two times as many."""
_CHECKSUM = 4
"""Bytes that fletcher32 adds to a chunk."""


class _Bytes(io.RawIOBase):
    """A file as HDF5 reads it: a read that the file cannot fill ends in an error, and leaves nothing as it was."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        size = len(view)
        while view:
            got = self._stream.readinto(view)  # type: ignore[attr-defined]
            if not got:
                raise OSError("the file is cut off")
            view = view[got:]
        return size


def is_hdf5(stream: IO[bytes]) -> bool:
    """Whether an open file is HDF5's; its place is as it was."""
    before, size, start = stream.tell(), stream.seek(0, os.SEEK_END), 0
    try:
        while start < size:
            stream.seek(start)
            if stream.read(len(SIGNATURE)) == SIGNATURE:
                return True
            start = 2 * start or _FIRST_BLOCK
        return False
    finally:
        stream.seek(before)


def open_stream(stream: IO[bytes]) -> h5py.File:
    """Open an HDF5 file for reading from an open file, which stays open as long; no lock is taken or waited for.

    Raises:
        OSError, and others: as h5py raises them.
    """
    import h5py  # who only asks what a file is does without

    return h5py.File(_Bytes(stream), "r", rdcc_nbytes=CHUNK_CACHE)


def wrong_chunks(dataset: h5py.h5d.DatasetID, size: int) -> str:
    """Why the chunks of a dataset cannot be read safely; empty where they can.

    Each must be there, lie in the file and be as large as its shape makes it.

    Args:
        dataset: in chunks, with no filter or fletcher32 alone.
        size: of the file, bytes.
    """
    properties = dataset.get_create_plist()
    chunk = properties.get_chunk()
    is_filtered = properties.get_nfilters() > 0
    due = math.prod(chunk) * dataset.dtype.itemsize + (_CHECKSUM if is_filtered else 0)
    number = math.prod(-(-length // step) for length, step in zip(dataset.shape, chunk, strict=True))
    if number > MOST_CHUNKS:
        return f"it is in {number:,} chunks"
    found: set[tuple[int, ...]] = set()

    def look(stored: h5py.h5d.StoreInfo) -> str | None:
        found.add(stored.chunk_offset)
        if stored.size != due:
            return f"a chunk has {stored.size:,} bytes in place of {due:,}"
        if stored.filter_mask or stored.byte_offset is None or stored.byte_offset + stored.size > size:
            return "a chunk is not as its filters make it, or not in the file"
        return None

    problem: str | None = dataset.chunk_iter(look) if number else None
    return problem or ("" if len(found) == number else f"{number - len(found):,} of its {number:,} chunks are missing")
