"""A reader of HDF5 as rfav writes it, which takes nothing else.

A store may come from anyone. Only plain datasets are read: numbers and texts of fixed length, stored inside the file
with no filter but a checksum, reached by hard links. So no link leads out of the file, no filter is loaded to decode
it, and no dataset is larger than the file that holds it.
"""

from __future__ import annotations

import math
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import h5py
import numpy as np

from rfav_cli.errors import StoreError
from rfav_cli.files.hdf5 import open_stream, wrong_chunks
from rfav_cli.store.layout import is_checked, why_not_read
from rfav_cli.store.opening import LIBRARY_ERRORS, MARKS, opened_stream, too_much, why_not_opened
from rfav_cli.store.schema import OLDEST_SCHEMA, SCHEMA, damaged, is_name, not_a_store
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

T = TypeVar("T", bool, int, float, str)
Stamp = tuple[int, int, int]
"""Inode, time of change and size: tells a file from another that took its name."""

MOST_ENTRIES = 200_000
"""Epochs, layers, texts of a list and datasets that a file may have; each takes about a kilobyte of memory."""
_LONGEST = 1 << 20
"""Bytes of an attribute."""


@dataclass(frozen=True)
class StoredDataset:
    """A dataset that may be read."""

    id: h5py.h5d.DatasetID
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """What its values take."""
        return self.dtype.itemsize * math.prod(self.shape)


class StoreFile:
    """An open file of a store, each of whose datasets was looked at before any is read."""

    def __init__(self, path: Path, file: h5py.File, status: os.stat_result) -> None:
        self.path = path
        self.stamp: Stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        self._file = file
        self._safe: set[str] = set()
        self.datasets: dict[str, StoredDataset] = {}
        with self.guarded():
            self._check_schema()
            self._collect(file["/"].id, "", {h5py.h5o.get_info(file.id).addr})
            if problem := too_much(sum(dataset.nbytes for dataset in self.datasets.values()), status):
                raise damaged(path, problem)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Say of whatever fails inside that this file is damaged, but for the memory, which is none of its faults."""
        try:
            yield
        except MemoryError as error:
            raise StoreError(f"{self.path}: too little memory to read it", "Free some memory and try again.") from error
        except LIBRARY_ERRORS as error:
            raise damaged(self.path, what_it_says(error)) from error

    def attribute(self, name: str, default: T) -> T:
        """A scalar of the default's type; the default itself where the file has none of that name."""
        with self.guarded():
            if name not in self._file.attrs:
                return default
            kept = self._file.attrs.get_id(name)
            value = self._file.attrs[name] if kept.shape == () and kept.dtype.itemsize <= _LONGEST else None
            plain = value.item() if isinstance(value, np.generic) else value
            plain = plain.decode() if isinstance(plain, bytes) else plain
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
            if dataset.shape[0] > MOST_ENTRIES:
                raise damaged(self.path, f"{name} has {dataset.shape[0]:,} entries")
            return [bytes(text).decode("utf-8") for text in self._values(name, ...)]

    def read(self, name: str, index: Any = ...) -> NDArray[Any]:
        """Part of a dataset of numbers."""
        with self.guarded():
            if self.datasets[name].dtype.kind == "S":
                raise damaged(self.path, f"{name} does not hold numbers")
            return np.asarray(self._values(name, index))

    def is_checked(self, name: str) -> bool:
        """Whether a change of a dataset is noticed when it is read."""
        return is_checked(self.datasets[name].id)

    def _values(self, name: str, index: Any) -> Any:
        """Part of a dataset, whose chunks are looked at before the first is read."""
        dataset = self.datasets[name].id
        if name not in self._safe:
            is_chunked = dataset.get_create_plist().get_layout() == h5py.h5d.CHUNKED
            if is_chunked and (problem := wrong_chunks(dataset, self.stamp[2])):
                raise damaged(self.path, f"{name}: {problem}")
            self._safe.add(name)
        try:
            return h5py.Dataset(dataset)[index]
        except OSError as error:
            is_changed = "filter returned failure" in str(error)
            why = "does not match its checksum" if is_changed else f"cannot be read ({what_it_says(error)})"
            raise damaged(self.path, f"{name} {why}") from error

    def _check_schema(self) -> None:
        if not all(name in self._file.attrs for name in MARKS):
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
        if len(self.datasets) == MOST_ENTRIES:
            raise damaged(self.path, f"it holds more than {MOST_ENTRIES:,} datasets")
        if not isinstance(item, h5py.h5d.DatasetID) or item.shape is None:
            raise damaged(self.path, f"{name} is not a dataset")
        if problem := why_not_read(item):
            raise damaged(self.path, f"{name} {problem}")
        return StoredDataset(item, item.shape, item.dtype)


@contextmanager
def opened(path: Path, *, follow: bool = True) -> Iterator[StoreFile]:
    """Open a file of a store for reading, without a lock.

    Args:
        path: the file.
        follow: through a link as well; without, as it is in a store's folder, a link is refused.

    Raises:
        FileNotFoundError: it is not there; that may be a pack going on.
        StoreError: it is there, and cannot be read or is no file of a store that this rfav reads.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(opened_stream(path, follow=follow))
        try:
            file = open_stream(stream)
        except LIBRARY_ERRORS as error:
            raise why_not_opened(path, error) from error
        stack.enter_context(_closed(path, file))
        yield StoreFile(path, file, os.fstat(stream.fileno()))


@contextmanager
def _closed(path: Path, file: h5py.File) -> Iterator[None]:
    """Close a file at the end, which can fail for one that is damaged."""
    try:
        yield
    finally:
        try:
            file.close()
        except LIBRARY_ERRORS as error:
            raise damaged(path, what_it_says(error)) from error
