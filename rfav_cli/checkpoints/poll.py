"""The checkpoints that a training writes, as they come: which files are whole, and what epochs they are of."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import isolation
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.contents import look_into
from rfav_cli.checkpoints.digests import digest_of
from rfav_cli.checkpoints.listing import Exclusion, is_checkpoint, listing
from rfav_cli.checkpoints.looking import paths_to_watch
from rfav_cli.checkpoints.numbering import step_of
from rfav_cli.checkpoints.order import epoch_pattern, epochs_from_names, form_of, is_nickname, says_step
from rfav_cli.checkpoints.stored_epochs import NamedFile, never_counted
from rfav_cli.errors import CheckpointError, RunError
from rfav_cli.files.regular import open_regular
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.checkpoints.find import Search
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Payload

UNFINISHED = frozenset({".tmp", ".temp", ".part", ".partial", ".incomplete"})
"""Files with these endings are going to be renamed."""
_SMALL = 2**26
"""Bytes of a file beside weights that is copied with them."""

_PIECE = 2**20
"""Bytes that are copied at once."""
_FIRST_EPOCH = -1
Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, number, size and time of each file that a checkpoint is read from."""


@dataclass(frozen=True)
class PolledCheckpoint:
    """A checkpoint that can be read.

    Attributes:
        path: where the training wrote it.
        epoch: by `--epochs`, else stored in it, else in its name; None where that cannot be told.
        named: the one by `--epochs` or in its name; None where there is none.
        stored: the one stored in it, where that counts; None where it does not, or there is none.
        sha256: of the file, in hex.
        payload: its content.
        unit: what `epoch` is counted by: "epoch" or "step".
    """

    path: Path
    epoch: int | None
    named: int | None
    stored: int | None
    sha256: str
    payload: Payload
    unit: str = "epoch"


@dataclass
class _File:
    """A file as it was looked at.

    Attributes:
        stamp: changes when the file does.
        since: when it was first seen with this stamp.
        next: when it is to be read; the first time it is seen it may still be written.
        foreign: it is no checkpoint.
        done: there is nothing to do until it changes.
        failure: why it could not be read.
        named: the epoch that it was taken for by its name, once it has been read.
    """

    stamp: Stamp
    since: float
    next: float
    foreign: bool = False
    done: bool = False
    failure: CheckpointError | None = None
    named: int | None = None


class Poll:
    """Looks for checkpoints again and again.

    A file is read when it was the same at two looks. One that cannot be read then is read again, after twice the time
    each, until it has not changed for `patience`; when it changes, all begins anew. No change of a file is relied on
    to be told by its time alone: what is read is a copy of a file that did not change meanwhile.

    Args:
        place: a folder or a glob; it may not be there yet. The run may lie below it.
        search: which files are meant and how they are counted, as for `find_checkpoints`.
        patience: seconds.
        options: how files are read.

    Raises:
        RunError: that is a file, or no glob or pattern.
    """

    def __init__(self, place: str, search: Search, patience: float, options: ReadOptions) -> None:
        if Path(place).exists() and not Path(place).is_dir():
            raise RunError(f"{printable(place)}: is a file", "Name the folder that checkpoints come into.")
        listing(place)
        self._place = place
        self._search = search
        self._pattern = None if search.pattern is None else epoch_pattern(search.pattern)
        self._patience = patience
        self._options = options
        self._files: dict[Path, _File] = {}
        self._epochs: dict[Path, int | None] = {}
        self._both: dict[Path, NamedFile] = {}
        self.passed_over: list[str] = []
        """What holds no weights, with what it holds, since this was last asked and emptied."""
        self.changed: float | None = None
        """When something was last seen to change."""

    def look(self, now: float) -> list[Path]:
        """The files that can be read now, in the order of the epochs in their names.

        Args:
            now: seconds of a clock that never goes back.

        Raises:
            RunError: the folder cannot be listed, or names that came since say that one was taken for a wrong epoch.
        """
        there = paths_to_watch(self._place, Exclusion(self._search.exclude))
        stamps = {path: stamp for path in there if (stamp := self._stamp_of(path)) is not None}
        self._files = {path: file for path, file in self._files.items() if path in stamps}
        for path, stamp in stamps.items():
            file = self._files.get(path)
            if file is None or file.stamp != stamp:
                self._files[path] = _File(stamp, now, now, foreign=not is_checkpoint(path))
                self.changed = now
        checkpoints = [path for path in stamps if not self._files[path].foreign]
        self._tell_epochs(checkpoints)
        ready = [path for path in checkpoints if not (file := self._files[path]).done and file.next < now]
        return sorted(ready, key=self._order)

    @contextmanager
    def opened(self, path: Path) -> Iterator[PolledCheckpoint | None]:
        """A copy of a file, read; None where the file changes while it is copied, or holds no weights.

        The training may do what it likes with the file meanwhile.

        Raises:
            CheckpointError: it cannot be read.
        """
        with tempfile.TemporaryDirectory(prefix="rfav-", ignore_cleanup_errors=True) as folder:
            copy = Path(folder) / path.name
            try:
                _copy(path, copy)
                whole = _stamp(path) == self._files[path].stamp
            except FileNotFoundError:
                whole = False
            except OSError as error:
                raise CheckpointError(
                    f"{path}: cannot be copied to {folder}: {what_it_says(error)}",
                    "TMPDIR can name another folder, with room.",
                ) from error
            yield self._read(path, copy) if whole else None

    def finish(self, path: Path) -> None:
        """Do nothing more with a file until it changes."""
        if path in self._files:
            self._files[path].done = True

    def fail(self, path: Path, error: CheckpointError, now: float) -> bool:
        """Read a file again later; whether this is the first time.

        Raises:
            CheckpointError: it has been the same for so long that it will not be read again.
        """
        file = self._files[path]
        first, file.failure = file.failure is None, error
        waited = now - file.since
        if waited >= self._patience:
            file.done = True
            raise error
        file.next = min(now + waited, file.since + self._patience)
        return first

    def named(self, path: Path) -> int | None:
        """The epoch by a file's name, at the last look; None where that says none, or the file is gone."""
        return self._epochs.get(path)

    def unreadable(self) -> list[tuple[Path, CheckpointError]]:
        """The files that would be read again."""
        return [(path, file.failure) for path, file in self._files.items() if file.failure and not file.done]

    def other_names(self, path: Path) -> bool:
        """Whether there are checkpoints that are named in another way, so that one may be of another net."""
        mine = form_of(path)
        return any(form_of(other) != mine for other, file in self._files.items() if not (file.foreign or file.done))

    def _read(self, path: Path, copy: Path) -> PolledCheckpoint | None:
        try:
            contents = look_into(copy, self._options)
            if other := contents.other:
                self.finish(path)
                self.passed_over.append(f"{path.name} ({other})")
                return None
            with isolation.called(copy, path):
                payload = formats.read(copy, self._options)
        except CheckpointError as error:
            raise CheckpointError(error.what.replace(str(copy), str(path)), error.remedy) from error
        named, stored = self.named(path), payload.epoch if self._pattern is None else None
        if is_nickname(path) and stored is not None and stored < 0:
            stored = None  # ultralytics' for "finished"
        unit = self._search.unit if self._search.unit != "auto" else "step" if self._in_steps(path) else "epoch"
        if self._pattern is None and self._search.unit == "step":
            return self._polled(path, step_of(path, named, contents.step), None, copy, payload, unit)
        if stored is not None and named is not None and not self._counts(NamedFile(path, named, stored)):
            stored = None
        unit = "epoch" if stored is not None and self._search.unit == "auto" else unit
        return self._polled(path, named, stored, copy, payload, unit)

    def _polled(
        self, path: Path, named: int | None, stored: int | None, copy: Path, payload: Payload, unit: str
    ) -> PolledCheckpoint:
        if stored is None:
            self._files[path].named = named
        epoch = named if stored is None else stored
        digest = payload.sha256 or digest_of(copy)
        return PolledCheckpoint(path, epoch, named, stored, digest, replace(payload, path=path), unit)

    def _in_steps(self, path: Path) -> bool:
        """Whether the number is a step, by the pattern or the name."""
        pattern = self._search.pattern
        return says_step(path) if pattern is None else "{step}" in pattern

    def _counts(self, file: NamedFile) -> bool:
        """Whether the stored epoch is one, and is not the same in each file.

        Raises:
            RunError: it is not, and one before was taken for it.
        """
        self._both[file.path] = file
        both = list(self._both.values())
        if not never_counted(both):
            return True
        if wrong := next((each for each in both[:-1] if each.difference), None):
            raise RunError(
                f"{wrong.path}: was taken for epoch {wrong.stored}, which it stores, and {printable(file.path.name)} "
                "stores the same",
                f"Say where it stands in the names, such as --epochs '{_with_epoch(file)}', and give --fresh.",
            )
        return False

    def _stamp_of(self, path: Path) -> Stamp | None:
        """A file's stamp; None for what is none, or not meant."""
        hidden = path.name.startswith(".") or path.suffix.lower() in UNFINISHED
        if hidden or (self._pattern is not None and not self._pattern.fullmatch(path.as_posix())):
            return None
        return _stamp(path)

    def _tell_epochs(self, paths: list[Path]) -> None:
        """From the names of all that is there, also of what is not whole yet, as `find_checkpoints` does."""
        if self._pattern is not None:
            epochs = [int(match["epoch"]) for path in paths if (match := self._pattern.fullmatch(path.as_posix()))]
            self._epochs = dict(zip(paths, epochs, strict=True))
            return
        steps = self._search.unit == "step"
        self._epochs = dict(zip(paths, epochs_from_names(paths, steps=steps), strict=True))
        plain = {path.parent for path in paths if not is_nickname(path) and self._epochs[path] is not None}
        for path in paths:
            if is_nickname(path) and path.parent in plain:
                self._epochs[path] = None
        for path, epoch in self._epochs.items():
            named = self._files[path].named
            if named is not None and named != epoch:
                raise RunError(
                    f"{path}: was taken for epoch {named}, but beside the names that came since it is epoch {epoch}",
                    "Say where it stands in the names, such as --epochs 'net_{epoch}_*.pt', and give --fresh.",
                )

    def _order(self, path: Path) -> tuple[bool, int, int, str]:
        epoch = self._epochs[path]
        changed = max((time for *_, time in self._files[path].stamp), default=0)
        return epoch is None, _FIRST_EPOCH if epoch is None else epoch, changed, path.name


def _with_epoch(file: NamedFile) -> str:
    """A file's name as `--epochs` takes it."""
    before, _, after = file.path.name.rpartition(str(file.named))
    return printable(f"{before}{{epoch}}{after}")


def _copy(path: Path, copy: Path) -> None:
    """A checkpoint as it is read: of a folder the weights, and what says what they are."""
    if not path.is_dir():
        _copy_file(path, copy)
        return
    for file in (*formats.weight_files(path), *_small_files(path)):
        target = copy / file.relative_to(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(file, target)


def _copy_file(path: Path, copy: Path) -> None:
    """A file's bytes; what was never written of it, and is read as zeros, takes no room in the copy either."""
    with open_regular(path) as file, copy.open("wb") as target:
        descriptor, place = file.fileno(), 0
        size = os.fstat(descriptor).st_size
        while place < size:
            start, end = _written(descriptor, place, size)
            os.lseek(descriptor, start, os.SEEK_SET)
            target.seek(start)
            while start < end and (piece := os.read(descriptor, min(_PIECE, end - start))):
                target.write(piece)
                start += len(piece)
            place = end
        target.truncate(size)


def _written(descriptor: int, place: int, size: int) -> tuple[int, int]:
    """The next part of a file that was written, from a place on; all of it where the system does not say."""
    if not hasattr(os, "SEEK_DATA"):
        return place, size
    try:
        start = os.lseek(descriptor, place, os.SEEK_DATA)
        return start, min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
    except OSError as error:
        return (size, size) if error.errno == errno.ENXIO else (place, size)


def _small_files(folder: Path) -> list[Path]:
    """The files in a folder that are no weights: they tell its format, and say its epoch."""
    return [path for path in folder.iterdir() if path.is_file() and path.stat().st_size <= _SMALL]


def _stamp(path: Path) -> Stamp | None:
    """What changes when a checkpoint does; None for what is none, or not there."""
    try:
        if path.is_dir():
            files = sorted(formats.weight_files(path)) if formats.is_checkpoint_folder(path) else []
        else:
            files = [path] if path.is_file() else []
        statuses = [(file, file.stat()) for file in files]
    except CheckpointError:  # a folder that is still written
        return ()
    except OSError:
        return None
    return tuple((str(file), status.st_ino, status.st_size, status.st_mtime_ns) for file, status in statuses) or None
