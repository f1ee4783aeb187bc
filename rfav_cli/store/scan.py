"""What a store holds, whichever files it lies in: the union of the packed file and the folder beside it."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.errors import StoreError
from rfav_cli.records import DOUBT_KINDS, BadCheckpoint, Checkpoint
from rfav_cli.records.columns import row_problem
from rfav_cli.store.commit import refuse_link
from rfav_cli.store.doubts import read_doubts
from rfav_cli.store.hdf5 import opened
from rfav_cli.store.run import read_run
from rfav_cli.store.schema import (
    BAD_PATH,
    BAD_REASON,
    CHECKPOINT_PATH,
    CHECKPOINT_SHA256,
    EPOCH,
    damaged,
    folder_of,
    is_column,
    is_heatmap,
)
from rfav_cli.store.values import what_cannot_be
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.records import Doubt, Run
    from rfav_cli.store.hdf5 import Stamp, StoreFile

RUN_FILE = "run.h5"
_EPOCH_FILE = re.compile(r"epoch-(-?\d{5,10})\.h5", re.ASCII)
_OTHER_FILE = re.compile(r"(bad|doubt)-[0-9a-f]{16}\.h5")
_ATTEMPTS = 100
_SMALL = 1 << 14


@dataclass(frozen=True)
class Row:
    """Where one epoch lies."""

    checkpoint: Checkpoint
    path: Path
    index: int


@dataclass(frozen=True)
class ColumnType:
    """One epoch of a column, as it is in every epoch that has the column."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def missing(self) -> NDArray[Any]:
        """What stands for an epoch without this column: NaN, as a column that has such epochs is of floats."""
        return np.full(self.shape, np.nan if self.dtype.kind == "f" else 0, self.dtype)


@dataclass
class Scan:
    """What a store holds.

    Attributes:
        path: the packed file, there or not.
        run: what never changes.
        run_sha256: the fingerprint in each of its files.
        rows: epoch -> where it lies, ascending.
        bad: files that could not be used, without those that could later.
        doubts: those recorded.
        column_types: name -> the shape of one epoch of a column, and the type that holds all of them.
        small: name -> epochs and their values, of each file, of what is not read on use, where that was asked for.
        stamps: each file that was read, as it was then.
    """

    path: Path
    run: Run
    run_sha256: str
    rows: dict[int, Row] = field(default_factory=dict)
    bad: tuple[BadCheckpoint, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    column_types: dict[str, ColumnType] = field(default_factory=dict)
    small: dict[str, list[tuple[list[int], NDArray[Any]]]] = field(default_factory=dict)
    stamps: dict[Path, Stamp] = field(default_factory=dict)


def listing(path: Path) -> list[Path]:
    """The files of epochs, of bad checkpoints and of doubts in a store's folder.

    Raises:
        StoreError: it cannot be read, or is a link.
    """
    refuse_link(folder_of(path))
    try:
        files = sorted(folder_of(path).iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"{folder_of(path)}: cannot be read ({what_it_says(error)})", "Make it a readable folder."
        ) from error
    return [file for file in files if _EPOCH_FILE.fullmatch(file.name) or _OTHER_FILE.fullmatch(file.name)]


def is_there(path: Path) -> bool:
    """Whether there is anything of a store."""
    return bool(listing(path)) or path.exists() or (folder_of(path) / RUN_FILE).exists()


def state_of(path: Path) -> tuple[object, ...]:
    """What changes whenever a store does, without reading it; empty where there is nothing of it."""
    marks: list[object] = [file.name for file in listing(path)]
    for head in (path, folder_of(path) / RUN_FILE):
        with suppress(OSError):
            status = head.stat()
            marks.append((head.name, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(marks)


def scan(path: Path, *, read_small: bool = False) -> Scan:
    """Look at every file of a store; what is packed meanwhile is found where it then lies.

    Raises:
        StoreError: there is no store, or one of its files is damaged or of another run.
    """
    for _ in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            return _scan_once(path, read_small)
    raise StoreError(f"{path}: its files vanish while they are read", "Wait until its writers have ended.")


def _scan_once(path: Path, read_small: bool) -> Scan:
    # In this order: an epoch that is not in the listing was packed before the packed file is opened.
    files = listing(path)
    heads = [head for head in (path, folder_of(path) / RUN_FILE) if head.exists()]
    if not heads and files:
        raise StoreError(f"{folder_of(path)}: holds epochs, but {RUN_FILE} is missing", "Restore it from a copy.")
    if not heads:
        raise StoreError(f"{path}: there is no such store", "Make it with `rfav analyze`.")
    with opened(heads[0], follow=heads[0] == path) as file:
        union = _Union(Scan(path, read_run(file), file.attribute("run_sha256", "")), read_small)
        first = union.look(file)
    for name in [*files, *heads[1:]]:
        with opened(name, follow=False) as file:
            part = union.look(file)
        _check_name(part)
        union.add(part)
    union.add(first)
    return union.finished()


@dataclass(frozen=True)
class _Part:
    """What one file adds."""

    path: Path
    stamp: Stamp
    checkpoints: list[Checkpoint]
    bad: list[BadCheckpoint]
    doubts: list[Doubt]
    column_types: dict[str, ColumnType]
    small: dict[str, NDArray[Any]]


class _Union:
    """Adds up the files of a store; of an epoch that is in two, the first that is added counts."""

    def __init__(self, scan: Scan, read_small: bool) -> None:
        self.scan = scan
        self._read_small = read_small
        self._bad: dict[str, BadCheckpoint] = {}
        self._doubts: dict[Doubt, None] = {}
        self._counts: dict[str, int] = {}

    def look(self, file: StoreFile) -> _Part:
        """Check a file against the run and take what is small out of it."""
        if file.attribute("run_sha256", "") != self.scan.run_sha256:
            raise StoreError(f"{file.path}: belongs to another run than the rest of the store", "Move it away.")
        checkpoints = _checkpoints(file)
        if checkpoints and not self.scan.run.probe.size:
            raise damaged(file.path, "probe_size is 0, and there are epochs that were measured")
        column_types, small, epochs = {}, {}, [checkpoint.epoch for checkpoint in checkpoints]
        for name, dataset in file.datasets.items():
            if not is_column(name):
                continue
            if dataset.shape[:1] != (len(checkpoints),) or dataset.dtype.kind == "S":
                raise damaged(file.path, f"{name} is {dataset.dtype} {dataset.shape}, not numbers along the epochs")
            column_type = column_types[name] = ColumnType(dataset.shape[1:], dataset.dtype)
            if problem := row_problem(name, column_type.shape, self.scan.run):
                raise damaged(file.path, problem)
            if self._read_small and is_small(name, column_type):
                values = small[name] = file.read(name)
                if problem := what_cannot_be(name, values, self.scan.run, epochs):
                    raise damaged(file.path, problem)
        bad_paths, reasons = file.texts(BAD_PATH), file.texts(BAD_REASON)
        if len(bad_paths) != len(reasons):
            raise damaged(file.path, "its list of bad checkpoints is not complete")
        bad = list(map(BadCheckpoint, bad_paths, reasons))
        return _Part(file.path, file.stamp, checkpoints, bad, read_doubts(file), column_types, small)

    def add(self, part: _Part) -> None:
        """Take the epochs of a file that are not there yet."""
        scan = self.scan
        scan.stamps[part.path] = part.stamp
        new = {c.epoch: index for index, c in enumerate(part.checkpoints) if c.epoch not in scan.rows}
        for epoch, index in new.items():
            scan.rows[epoch] = Row(part.checkpoints[index], part.path, index)
        for bad in part.bad:
            self._bad.setdefault(bad.path, bad)
        self._doubts |= dict.fromkeys(part.doubts)
        if not new:
            return
        for name, column_type in part.column_types.items():
            known_type = scan.column_types.get(name, column_type)
            if known_type.shape != column_type.shape:
                raise damaged(
                    part.path, f"{name} is {column_type.shape} an epoch, and {known_type.shape} in other epochs"
                )
            if known_type.dtype != column_type.dtype or name not in scan.column_types:
                scan.column_types[name] = ColumnType(
                    column_type.shape, np.result_type(known_type.dtype, column_type.dtype)
                )
            self._counts[name] = self._counts.get(name, 0) + len(new)
            if name in part.small:
                values = part.small[name]
                of_new = values if len(new) == len(values) else values[list(new.values())]
                scan.small.setdefault(name, []).append((list(new), of_new))

    def finished(self) -> Scan:
        """The whole, in order; integers become floats where an epoch has none."""
        scan = self.scan
        scan.rows = dict(sorted(scan.rows.items()))
        good = {row.checkpoint.path for row in scan.rows.values()}
        scan.bad = tuple(bad for path, bad in sorted(self._bad.items()) if path not in good)
        scan.doubts = tuple(sorted(self._doubts, key=lambda doubt: (DOUBT_KINDS.index(doubt.kind), doubt.where)))
        for name, column_type in sorted(scan.column_types.items()):
            if self._counts[name] < len(scan.rows) and column_type.dtype.kind != "f":
                scan.column_types[name] = ColumnType(column_type.shape, np.dtype(np.float64))
        return scan


def is_small(name: str, column_type: ColumnType) -> bool:
    """Whether a column is held in memory, as against read on use."""
    return not is_heatmap(name) and math.prod(column_type.shape) <= _SMALL


def _checkpoints(file: StoreFile) -> list[Checkpoint]:
    """The epochs of a file, by its index."""
    if EPOCH not in file.datasets:
        return []
    epochs = file.read(EPOCH)
    paths, digests = file.texts(CHECKPOINT_PATH), file.texts(CHECKPOINT_SHA256)
    if epochs.dtype.kind != "i" or epochs.shape != (len(paths),) or len(paths) != len(digests):
        raise damaged(file.path, "its index of epochs is not complete")
    if (np.diff(epochs) <= 0).any():
        raise damaged(file.path, "its epochs do not ascend")
    if epochs.size and epochs[0] < -1:
        raise damaged(file.path, f"{EPOCH} is {epochs[0]}, and can be -1 (before training) or more")
    return [Checkpoint(int(epoch), path, digest) for epoch, path, digest in zip(epochs, paths, digests, strict=True)]


def _check_name(part: _Part) -> None:
    """An epoch's file is found by its name, so the name must be right."""
    named = _EPOCH_FILE.fullmatch(part.path.name)
    if named and [int(named[1])] != [checkpoint.epoch for checkpoint in part.checkpoints]:
        raise damaged(part.path, "it holds another epoch than its name says")
