"""Arrays in other people's HDF5 files: none that lies in another file, none that declares far more than there is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import h5py

from rfav_cli.data.declared import refuse_swelling
from rfav_cli.errors import SampleError
from rfav_cli.regular_files import open_regular
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


Dataset = h5py.Dataset


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5's."""
    return bool(h5py.is_hdf5(path))


def data_sets(path: Path) -> Mapping[str, Any]:
    """What lies at the top of a file by its name; a link could lead to another file, so none is followed.

    Raises:
        OSError, and others: as h5py raises them.
    """
    open_regular(path).close()
    root = h5py.File(path, "r", locking=False)
    return {name: root[name] for name in root if isinstance(root.get(name, getlink=True), h5py.HardLink)}


def check(path: Path, data: h5py.Dataset) -> None:
    """Refuse a data set that keeps its values elsewhere, or has hardly any of those that it declares.

    Raises:
        SampleError: it does.
    """
    where = f"{printable(path)}: {printable(data.name)}"
    if data.is_virtual or data.external:
        raise SampleError(f"{where} keeps its values in other files", "Save them in this one.")
    stored, item = data.id.get_storage_size(), data.dtype.itemsize
    refuse_swelling(where, math.prod(data.shape) * item, stored, data.shape[0] if data.shape else 0)
    if data.chunks:  # which is unpacked whole for each sample in it
        refuse_swelling(f"{where} has chunks that", math.prod(data.chunks) * item, stored)
