"""A store as a `History`: numbers in memory, heatmaps read on use."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli import remote
from rfav_cli.errors import StoreError
from rfav_cli.records import History
from rfav_cli.store.hdf5 import opened
from rfav_cli.store.scan import is_small, scan
from rfav_cli.store.schema import EPOCH, damaged, epoch_file, folder_of
from rfav_cli.store.values import what_cannot_be

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.records import Column
    from rfav_cli.store.hdf5 import StoreFile
    from rfav_cli.store.scan import ColumnType, Scan


def open_store(path: Path) -> History:
    """Read a store, whether it is packed, a folder, or both; it may be written meanwhile. One elsewhere is packed.

    Raises:
        StoreError: there is none, it is damaged, or it is of a newer schema.
        RunError: it is elsewhere, and cannot be reached.
    """
    shown = remote.shown(path)
    path = remote.keep(path)
    contents = scan(path, read_small=True)
    epochs = tuple(contents.rows)
    places = {epoch: place for place, epoch in enumerate(epochs)}
    columns: dict[str, Column] = {}
    for name, column_type in contents.column_types.items():
        if is_small(name, column_type):
            columns[name] = _gathered(contents.small[name], column_type, places)
        else:
            columns[name] = LazyColumn(path, contents, name, epochs)
    checkpoints = tuple(row.checkpoint for row in contents.rows.values())
    return History(shown, contents.run, checkpoints, contents.bad, columns, contents.doubts)


def _gathered(
    parts: list[tuple[list[int], NDArray[Any]]], column_type: ColumnType, places: dict[int, int]
) -> NDArray[Any]:
    """A column from its parts in files, (E, ...)."""
    if len(parts) == 1 and len(parts[0][0]) == len(places):
        return parts[0][1].astype(column_type.dtype, copy=False)
    values = np.empty((len(places), *column_type.shape), column_type.dtype)
    values[...] = column_type.missing
    for epochs, part in parts:
        values[[places[epoch] for epoch in epochs]] = part
    return values


class _OpenFiles:
    """Packed files that stay open for a while, each with the rows of its epochs."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.files: dict[Path, tuple[StoreFile, dict[int, int]]] = {}


_OPEN_FILES: ContextVar[_OpenFiles | None] = ContextVar("held", default=None)


@contextmanager
def held_open() -> Iterator[None]:
    """Within this, a packed file is opened and looked through once, and not for every column that is read of it."""
    with ExitStack() as stack:
        token = _OPEN_FILES.set(_OpenFiles(stack))
        try:
            yield
        finally:
            _OPEN_FILES.reset(token)


class LazyColumn:
    """A column whose epochs are read when they are asked for, from wherever they lie by then.

    Nothing is kept open or in memory. An index whose first part is an integer, a slice or a list alone reads just those
    epochs; any other reads them all.
    """

    def __init__(self, path: Path, contents: Scan, name: str, epochs: tuple[int, ...]) -> None:
        self._shown_path = path
        self._path = path.absolute()
        self._run, self._run_sha256 = contents.run, contents.run_sha256
        self._name = name
        self._epochs = epochs
        self._column_type = contents.column_types[name]

    @property
    def shape(self) -> tuple[int, ...]:
        """The whole shape, epochs first."""
        return (len(self._epochs), *self._column_type.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that all epochs fit."""
        return self._column_type.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self._epochs)

    def __repr__(self) -> str:
        return f"<{self._name} {self.dtype} {self.shape}, read on use>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = self._read(range(len(self)))
        return values if dtype is None else values.astype(dtype, copy=False)

    def __getitem__(self, key: Any, /) -> Any:
        first, *others = key if isinstance(key, tuple) and key else (key,)
        every = range(len(self))
        if all(isinstance(part, int | np.integer | slice) for part in others):
            if isinstance(first, int | np.integer) and not isinstance(first, bool):
                return self._read([every[first]])[0][tuple(others)]
            if isinstance(first, slice):
                within = (slice(None), *others)
                return self._read(every[first])[within]
            if isinstance(first, list) and not others:
                return self._read(np.arange(len(self))[first])
        return self._read(every)[key]

    def _read(self, rows: Any) -> NDArray[Any]:
        values = np.empty((len(rows), *self._column_type.shape), self.dtype)
        with ExitStack() as stack:
            packed: tuple[StoreFile, dict[int, int]] | None = None
            for index, row in enumerate(rows):
                epoch = self._epochs[row]
                try:
                    with opened(epoch_file(folder_of(self._path), epoch), follow=False) as file:
                        values[index] = self._read_row(file, 0, epoch)
                except FileNotFoundError:
                    packed = packed or self._held_or_opened(stack)
                    if epoch not in packed[1]:
                        packed = self._open_packed(stack)  # the one that was held may have been replaced since
                    if epoch not in packed[1]:
                        raise self._vanished_error() from None
                    values[index] = self._read_row(packed[0], packed[1][epoch], epoch)
        return values

    def _held_or_opened(self, stack: ExitStack) -> tuple[StoreFile, dict[int, int]]:
        held = _OPEN_FILES.get()
        if held is None:
            return self._open_packed(stack)
        if self._path not in held.files:
            held.files[self._path] = self._open_packed(held.stack)
        return held.files[self._path]

    def _open_packed(self, stack: ExitStack) -> tuple[StoreFile, dict[int, int]]:
        """The packed file and its epochs; opened after a folder's file was not there, so it has that epoch."""
        try:
            file = stack.enter_context(opened(self._path))
        except FileNotFoundError:
            raise self._vanished_error() from None
        return file, {int(epoch): row for row, epoch in enumerate(file.read(EPOCH))}

    def _read_row(self, file: StoreFile, row: int, epoch: int) -> NDArray[Any]:
        if file.attribute("run_sha256", "") != self._run_sha256:
            raise self._vanished_error()
        if self._name not in file.datasets:
            return self._column_type.missing
        if file.datasets[self._name].shape[1:] != self._column_type.shape:
            raise damaged(file.path, f"{self._name} has changed its shape")
        values = file.read(self._name, row)
        if problem := what_cannot_be(self._name, values[None], self._run, [epoch]):
            raise damaged(file.path, problem)
        return values

    def _vanished_error(self) -> StoreError:
        return StoreError(f"{self._shown_path}: what was opened is not there any more", "Open the store again.")
