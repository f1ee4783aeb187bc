"""How rfav lays out its HDF5, so that no bit of it changes unnoticed, and which layouts it reads.

Every dataset lies in chunks that carry HDF5's checksum (fletcher32). All the rest is metadata of the format of HDF5
1.10, which carries checksums of its own. Texts have a fixed length: those of variable length lie on a heap without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from rfav_cli.files.hdf5 import CHUNK_CACHE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

LIBVER = ("v110", "v110")
"""The file format: read by every HDF5 since 1.10."""
_TOGETHER = CHUNK_CACHE // 2
"""Bytes of the epochs that share a chunk; reading one epoch reads them all."""
_MOST = 1 << 24
"""Bytes of a chunk where one epoch is larger than that."""
_WIDEST = 8
"""Bytes of a number."""


def new_file(stream: Any) -> h5py.File:
    """An HDF5 file to be written into an open, empty one."""
    return h5py.File(stream, "w", libver=LIBVER, rdcc_nbytes=CHUNK_CACHE)


def new_dataset(file: h5py.File, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> h5py.Dataset:
    """A dataset with checksums, to be filled."""
    chunks = chunks_of(shape, np.dtype(dtype).itemsize)
    # HDF5 allows a chunk that is longer than an axis only where the axis may grow.
    most = tuple(length or None for length in shape)
    return file.create_dataset(name, shape, dtype, chunks=chunks, maxshape=most, fletcher32=True)


def write_numbers(file: h5py.File, name: str, values: NDArray[Any]) -> None:
    """Store numbers of one axis or more."""
    new_dataset(file, name, values.shape, values.dtype)[...] = values


def write_texts(file: h5py.File, name: str, texts: Sequence[str]) -> None:
    """Store a list of texts as UTF-8."""
    encoded = [text.encode("utf-8", "backslashreplace") for text in texts]
    dtype = h5py.string_dtype("utf-8", max([1, *map(len, encoded)]))
    new_dataset(file, name, (len(encoded),), dtype)[...] = np.array(encoded, dtype)


def write_attribute(file: h5py.File, name: str, value: bool | int | float | str) -> None:
    """Store one value that belongs to the whole file; a text as UTF-8."""
    if isinstance(value, str):
        encoded = value.encode("utf-8", "backslashreplace")
        file.attrs[name] = np.array(encoded, h5py.string_dtype("utf-8", max(1, len(encoded))))
    else:
        file.attrs[name] = value


def chunks_of(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The shape of the chunks: whole epochs, few where they are large.

    >>> chunks_of((1000, 20), 8)
    (409, 20)
    >>> chunks_of((1000, 32, 64, 64), 2)
    (1, 32, 64, 64)
    """
    chunk, size = list(shape), itemsize
    for axis in reversed(range(len(shape))):
        limit = _MOST if axis else _TOGETHER
        chunk[axis] = max(1, min(shape[axis], limit // size))
        size *= chunk[axis]
    return tuple(chunk)


def is_checked(dataset: h5py.h5d.DatasetID) -> bool:
    """Whether a dataset carries checksums."""
    properties = dataset.get_create_plist()
    return any(properties.get_filter(i)[0] == h5py.h5z.FILTER_FLETCHER32 for i in range(properties.get_nfilters()))


def why_not_read(dataset: h5py.h5d.DatasetID) -> str:
    """Why a dataset is none that rfav reads, whatever its values are; empty where it is one.

    No filter but the checksum is run, so nothing is unpacked and no plug-in of HDF5 is loaded.
    """
    properties = dataset.get_create_plist()
    layout, filters = properties.get_layout(), properties.get_nfilters()
    if properties.get_external_count() or layout not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT, h5py.h5d.CHUNKED):
        return "is not stored in the file"
    if filters > 1 or (filters and not is_checked(dataset)):
        return "is stored with filters other than fletcher32"
    if dataset.dtype.kind not in "biufS" or (dataset.dtype.kind != "S" and dataset.dtype.itemsize > _WIDEST):
        return "holds neither numbers nor texts of fixed length"
    return ""
