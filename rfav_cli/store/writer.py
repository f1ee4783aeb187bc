"""A run's measurements into its store, an immutable file an epoch."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.errors import StoreError
from rfav_cli.files.atomic import check_writable, remove_abandoned, replacing
from rfav_cli.records.columns import row_problem
from rfav_cli.remote import refuse_address
from rfav_cli.store.commit import locked, refuse_link, refuse_special, writing
from rfav_cli.store.doubts import file_name, write_doubts
from rfav_cli.store.hdf5 import opened
from rfav_cli.store.layout import new_file, write_numbers, write_texts
from rfav_cli.store.opening import is_store_file
from rfav_cli.store.pack import keep_before
from rfav_cli.store.run import MOST_LAYERS, differences, fingerprint, write_header, write_run
from rfav_cli.store.scan import RUN_FILE, is_there, listing, scan
from rfav_cli.store.schema import (
    BAD_PATH,
    BAD_REASON,
    CHECKPOINT_PATH,
    CHECKPOINT_SHA256,
    EPOCH,
    epoch_file,
    folder_of,
    is_column,
    not_a_store,
)
from rfav_cli.store.watchers import refuse_watched
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

    from rfav_cli.records import BadCheckpoint, Checkpoint, Doubt, Measurement, Run
    from rfav_cli.store.scan import Scan

_ATTEMPTS = 100


class StoreWriter:
    """Adds epochs to a store. Several processes may do so at once, each with epochs of its own."""

    def __init__(self, path: Path, run: Run, run_sha256: str, stored: Scan | None = None) -> None:
        self._path = path
        self._folder = folder_of(path.absolute())  # a net's own code may change the current folder
        self._run = run
        self._run_sha256 = run_sha256
        self._committed = {epoch: row.checkpoint for epoch, row in stored.rows.items()} if stored else {}
        self._bad = set(stored.bad) if stored else set()
        self._doubts = set(stored.doubts) if stored else set()

    @classmethod
    def open(cls, path: Path, run: Run, *, fresh: bool = False, watching: bool = False) -> StoreWriter:
        """Make a store, or go on with the one that is there.

        Args:
            path: of the packed file; epochs are written into the folder beside it.
            run: what is going to be measured.
            fresh: remove the store that is there first.
            watching: the caller is the store's watcher.

        Raises:
            StoreError: one cannot write there, a watcher does, the store that is there is of another run, or it cannot
                be read.
        """
        check_place(path, fresh=fresh, watching=watching)
        if len(run.layers) > MOST_LAYERS:
            raise StoreError(
                f"{path}: a store takes {MOST_LAYERS:,} layers at most, and the net has {len(run.layers):,}",
                "Choose some with --layers.",
            )
        if fresh:
            _remove_store(path)
        remove_abandoned(path.parent)
        remove_abandoned(folder_of(path))
        if not is_there(path):
            writer = cls(path, run, fingerprint(run))
            writer._commit(writer._folder / RUN_FILE, lambda file: write_run(file, run))
            return writer
        stored = scan(path)
        if changes := differences(stored.run, run):
            raise StoreError(
                f"{path}: holds another run (stored / now): {'; '.join(changes)}",
                "Give what the store was made with, or --fresh to start over, or another --out.",
            )
        return cls(path, run, stored.run_sha256, stored)

    @property
    def committed(self) -> Mapping[int, Checkpoint]:
        """The checkpoints whose epochs are in the store."""
        return MappingProxyType(self._committed)

    def is_new(self, checkpoint: Checkpoint) -> bool:
        """Whether the store lacks a checkpoint.

        Raises:
            StoreError: it has the epoch, measured from another checkpoint.
        """
        before = self._committed.get(checkpoint.epoch)
        if before is not None and before.sha256 != checkpoint.sha256:
            raise StoreError(
                f"{self._path}: epoch {checkpoint.epoch} was measured from another file (stored / now): "
                f"{printable(before.path)} {printable(before.sha256[:8])} / "
                f"{printable(checkpoint.path)} {checkpoint.sha256[:8]}",
                "Give the checkpoints that the store was made from, or --fresh to start over, or another --out.",
            )
        return before is None

    def forget_from(self, epoch: int) -> list[int]:
        """Take an epoch and all later ones out of the store, where earlier ones are of the same training.

        Returns:
            Which they were, ascending.

        Raises:
            StoreError: no earlier one is there, a file of the store is damaged, or there is no room for a copy of it.
        """
        gone = sorted(number for number in self._committed if number >= epoch)
        if len(gone) == len(self._committed):
            raise StoreError(
                f"{self._path}: holds another training, with no epoch before {epoch}",
                "Give fresh=True to start over, or another store.",
            )
        keep_before(self._path, epoch)
        for number in gone:
            del self._committed[number]
        return gone

    def append(self, measurement: Measurement) -> None:
        """Commit an epoch: when this returns, it is on disk.

        Raises:
            StoreError: there is no room, or the epoch was measured from another checkpoint.
            ValueError: a column has a name or a shape that the schema does not allow.
        """
        checkpoint = measurement.checkpoint
        self.is_new(checkpoint)
        columns = {name: _checked(name, values, self._run) for name, values in measurement.columns.items()}

        def write(file: h5py.File) -> None:
            write_numbers(file, EPOCH, np.array([checkpoint.epoch], np.int32))
            write_texts(file, CHECKPOINT_PATH, [checkpoint.path])
            write_texts(file, CHECKPOINT_SHA256, [checkpoint.sha256])
            for name, values in columns.items():
                write_numbers(file, name, values[None])

        self._commit(epoch_file(self._folder, checkpoint.epoch), write)
        self._committed[checkpoint.epoch] = checkpoint

    def record_bad(self, bad: BadCheckpoint) -> None:
        """Commit that a file could not be used; readers drop it once an epoch was measured from that path.

        Raises:
            StoreError: there is no room.
        """
        if bad in self._bad:
            return

        def write(file: h5py.File) -> None:
            write_texts(file, BAD_PATH, [bad.path])
            write_texts(file, BAD_REASON, [bad.reason])

        digest = hashlib.sha256(bad.path.encode("utf-8", "backslashreplace")).hexdigest()
        self._commit(self._folder / f"bad-{digest[:16]}.h5", write)
        self._bad.add(bad)

    def record_doubt(self, doubt: Doubt) -> None:
        """Commit why the figures may not be those of the run as its owner ran it; once, however often it is said.

        Raises:
            StoreError: there is no room.
        """
        if doubt in self._doubts:
            return
        self._commit(self._folder / file_name(doubt), lambda file: write_doubts(file, [doubt]))
        self._doubts.add(doubt)

    def _commit(self, target: Path, write: Callable[[h5py.File], None]) -> None:
        """Build a file in memory and put it into the folder, which a packer may remove at any moment."""
        image = io.BytesIO()  # and not the core driver: HDF5 1.14 gives its image a wrong checksum
        with new_file(image) as file:
            write_header(file, self._run, self._run_sha256)
            write(file)
        with writing(self._path):
            for attempt in range(_ATTEMPTS):
                refuse_link(self._folder)
                self._folder.mkdir(exist_ok=True)
                try:
                    with replacing(target) as replacement:
                        replacement.write(image.getbuffer())
                    return
                except FileNotFoundError:
                    if attempt == _ATTEMPTS - 1:
                        raise


def check_place(path: Path, *, fresh: bool = False, watching: bool = False) -> None:
    """Find out, before any work, whether a store can be written there.

    Args:
        path: of the packed file.
        fresh: the store that is there is going to be replaced, so it may be damaged or of any schema.
        watching: the caller is the store's watcher.

    Raises:
        StoreError: there is no folder for it, one cannot write there, a watcher does, what is there is no store, or
            its folder is a link.
        UsageError: it is elsewhere.
    """
    refuse_address(path, "a store grows in a local folder", "Give a local path; `rfav analyze --out` alone copies it.")
    with writing(path):
        if not path.parent.is_dir():
            raise StoreError(f"{path}: there is no folder {path.parent}", "Make it first, or choose another --out.")
        if path.is_dir():
            raise StoreError(f"{path}: is a folder", "Give the name of a file, like rfav.h5, with --out.")
        check_writable(path)
        refuse_link(folder_of(path))
        if not watching:
            refuse_watched(path)
        if folder_of(path).exists():
            check_writable(folder_of(path) / RUN_FILE)
        if fresh:
            _check_ours(path)
            return
        for file in (path, folder_of(path) / RUN_FILE):
            with suppress(FileNotFoundError), opened(file, follow=file == path):
                pass


def _remove_store(path: Path) -> None:
    """Remove a store; the run last, so that what remains of it can always be read."""
    folder = folder_of(path)
    with locked(folder) as held, writing(path):
        if held is not None:
            for file in listing(path):
                held.remove(file.name)
        path.unlink(missing_ok=True)
        if held is not None:
            held.remove(RUN_FILE)
            with suppress(OSError):
                folder.rmdir()


def _check_ours(path: Path) -> None:
    """Raise StoreError where something in a store's place is none of ours, so that --fresh does not remove it."""
    folder = folder_of(path)
    inside = [*listing(path), folder / RUN_FILE]
    for file in inside:
        refuse_special(file)
    for file in (path, *inside):
        is_ours = is_store_file(file, follow=file == path)
        if file.exists() and not is_ours and (file == path or file.stat().st_size):
            raise not_a_store(file, "and so not removed for --fresh")


def _checked(name: str, values: NDArray[Any], run: Run) -> NDArray[Any]:
    """A column's values as an array that may be stored under this name."""
    array = np.asarray(values)
    if not is_column(name) or array.dtype.kind not in "biuf":
        raise ValueError(f"not a column of a store: {printable(name)}, {array.dtype}")
    if problem := row_problem(name, array.shape, run):
        raise ValueError(problem)
    return array
