"""HDF5 as rfav writes it, and a reader that takes nothing else.

A store may come from anyone. Only plain datasets are read: numbers and texts of fixed length, stored in one piece
inside the file, reached by hard links. So no link leads out of the file, no filter is loaded to decode it, and no
dataset is larger than the file that holds it.
"""

from __future__ import annotations

import errno
import math
import os
import stat
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import h5py
import numpy as np

from rfav_cli.errors import StoreError
from rfav_cli.store.opening import StoreInUseError, open_hdf5, why_not_opened
from rfav_cli.store.schema import OLDEST_SCHEMA, SCHEMA, damaged, is_name, not_a_store
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LIBVER = ("v108", "v108")
"""The file format: read by every HDF5 since 1.8."""

T = TypeVar("T", bool, int, float, str)
Stamp = tuple[int, int, int]
"""Inode, time of change and size: tells a file from another that took its name."""

_LIBRARY_ERRORS = (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError, MemoryError, RecursionError)


def write_texts(file: h5py.File, name: str, texts: Sequence[str]) -> None:
    """Store texts as UTF-8 of fixed length, so that they lie in the dataset and not on a heap."""
    encoded = [text.encode("utf-8", "backslashreplace") for text in texts]
    dtype = h5py.string_dtype("utf-8", max([1, *map(len, encoded)]))
    file.create_dataset(name, data=np.array(encoded, dtype))


@dataclass(frozen=True)
class StoredDataset:
    """A dataset that may be read."""

    id: h5py.h5d.DatasetID
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class StoreFile:
    """An open file of a store, each of whose datasets was looked at before any is read."""

    def __init__(self, path: Path, file: h5py.File, stamp: Stamp) -> None:
        self.path = path
        self.stamp = stamp
        self._file = file
        self.datasets: dict[str, StoredDataset] = {}
        with self.guarded():
            self._check_schema()
            self._collect(file["/"].id, "", {h5py.h5o.get_info(file.id).addr})
            size = sum(dataset.dtype.itemsize * math.prod(dataset.shape) for dataset in self.datasets.values())
            if size > stamp[2]:
                raise damaged(path, "its datasets are larger than the file")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Say of whatever fails inside that this file is damaged, but for the memory, which is none of its faults."""
        try:
            yield
        except MemoryError as error:
            raise StoreError(f"{self.path}: too little memory to read it", "Free some memory and try again.") from error
        except _LIBRARY_ERRORS as error:
            raise damaged(self.path, what_it_says(error)) from error

    def attribute(self, name: str, default: T) -> T:
        """A scalar of the default's type; the default itself where the file has none of that name."""
        with self.guarded():
            if name not in self._file.attrs:
                return default
            value = self._file.attrs[name] if self._file.attrs.get_id(name).shape == () else None
        plain = value.item() if isinstance(value, np.generic) else value
        if type(plain) is not type(default):
            raise damaged(self.path, f"attribute {name} is {printable(value)}")
        return plain

    def texts(self, name: str) -> list[str]:
        """A dataset of texts, () where there is none."""
        with self.guarded():
            if name not in self.datasets:
                return []
            dataset = self.datasets[name]
            if dataset.dtype.kind != "S" or len(dataset.shape) != 1:
                raise damaged(self.path, f"{name} is not a list of texts")
            return [bytes(text).decode("utf-8") for text in h5py.Dataset(dataset.id)[...]]

    def read(self, name: str, index: Any = ...) -> NDArray[Any]:
        """Part of a dataset of numbers."""
        with self.guarded():
            values: NDArray[Any] = np.asarray(h5py.Dataset(self.datasets[name].id)[index])
        if values.dtype.kind not in "biuf":
            raise damaged(self.path, f"{name} does not hold numbers")
        return values

    def _check_schema(self) -> None:
        attributes = self._file.attrs
        if "schema" not in attributes or "rfav_version" not in attributes:
            raise not_a_store(self.path, "an HDF5 file, but without rfav's attributes")
        schema = self.attribute("schema", 0)
        if schema > SCHEMA:
            writer = printable(self.attribute("rfav_version", ""))
            raise StoreError(
                f"{self.path}: written by rfav {writer} with schema {schema}; this rfav reads up to schema {SCHEMA}",
                "Upgrade: pip install --upgrade rfav-cli.",
            )
        if schema < OLDEST_SCHEMA:
            raise not_a_store(self.path, f"there is no schema {schema}")

    def _collect(self, group: h5py.h5g.GroupID, prefix: str, seen: set[int]) -> None:
        for key in group:
            name = prefix + key.decode("utf-8", "backslashreplace")
            if not is_name(name):
                raise damaged(self.path, f"{printable(name)} is no name of a dataset")
            if group.links.get_info(key).type != h5py.h5l.TYPE_HARD:
                raise damaged(self.path, f"{name} is a link to elsewhere")
            item = h5py.h5o.open(group, key)
            address = h5py.h5o.get_info(item).addr
            if address in seen:
                raise damaged(self.path, f"{name} is there twice")
            seen.add(address)
            if isinstance(item, h5py.h5g.GroupID):
                self._collect(item, name + "/", seen)
            else:
                self.datasets[name] = self._checked(name, item)

    def _checked(self, name: str, item: object) -> StoredDataset:
        if not isinstance(item, h5py.h5d.DatasetID) or item.shape is None:
            raise damaged(self.path, f"{name} is not a dataset")
        plist = item.get_create_plist()
        if plist.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT) or plist.get_external_count():
            raise damaged(self.path, f"{name} is not stored in one piece in the file")
        if item.dtype.kind not in "biufS":
            raise damaged(self.path, f"{name} holds neither numbers nor texts of fixed length")
        return StoredDataset(item, item.shape, item.dtype)


@contextmanager
def opened(path: Path) -> Iterator[StoreFile]:
    """Open a file of a store for reading, without a lock.

    Raises:
        FileNotFoundError: it is not there; that may be a pack going on.
        StoreError: it is there, and cannot be read or is no file of a store that this rfav reads.
    """
    with ExitStack() as stack:
        file, stamp = _open(path)
        stack.enter_context(file)
        yield StoreFile(path, file, stamp)


def is_store_file(path: Path) -> bool:
    """Whether a file is a store of any schema, which rfav may replace.

    Raises:
        StoreInUseError: that cannot be told while another program has it open.
    """
    try:
        with _open(path)[0] as file:
            return "schema" in file.attrs and "rfav_version" in file.attrs
    except StoreInUseError:
        raise
    except (StoreError, *_LIBRARY_ERRORS):
        return False


def _open(path: Path) -> tuple[h5py.File, Stamp]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise not_a_store(path, "not a regular file")
        with path.open("rb"):  # says what the system says, where HDF5's words would not
            pass
    except FileNotFoundError:
        raise
    except OSError as error:
        remedy = "Give a store that you may read." if isinstance(error, PermissionError) else "Copy it elsewhere."
        raise StoreError(f"{path}: cannot be read ({what_it_says(error)})", remedy) from error
    try:
        if not h5py.is_hdf5(path) and path.exists():
            raise not_a_store(path, "not an HDF5 file" if status.st_size else "an empty file")
        file = open_hdf5(path)
    except FileNotFoundError:
        raise
    except _LIBRARY_ERRORS as error:
        if not path.exists():  # a packer took it away in between; HDF5 has many words for that
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
        raise why_not_opened(path, error) from error
    return file, (status.st_ino, status.st_mtime_ns, status.st_size)
