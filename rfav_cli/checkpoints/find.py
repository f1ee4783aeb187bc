"""Finds the checkpoint files of a run and puts them in the order of their epochs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats import is_checkpoint_folder
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.checkpoints.order import describe_gaps, epoch_pattern, epochs_from_names
from rfav_cli.checkpoints.stored_epochs import NamedFile, describe_difference, epoch_doubts, never_counted
from rfav_cli.errors import CheckpointError, RunError
from rfav_cli.records import BadCheckpoint
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rfav_cli.records import Doubt

SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".pt2", ".ts", ".tar", ".pkl", ".torch"})
"""Files with these endings are taken for checkpoints whatever is in them, so that a damaged one is noticed."""

_LISTED = 5


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint file and its epoch, -1 before training."""

    epoch: int
    path: Path


@dataclass(frozen=True)
class CheckpointFiles:
    """The checkpoint files of a run.

    Attributes:
        entries: by epoch, ascending, no epoch twice.
        bad: files that are no checkpoints.
        notes: what the user should be told of how the files were chosen.
        doubts: why these may not be the checkpoints of one run, each of its epoch.
    """

    entries: tuple[CheckpointFile, ...]
    bad: tuple[BadCheckpoint, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def find_checkpoints(
    paths: Sequence[str], pattern: str | None = None, *, skip_bad: bool = False, trust_pickle: bool = False
) -> CheckpointFiles:
    """Find a run's checkpoint files and their epochs.

    The epoch is the number at `{epoch}` in the pattern where one is given, else the one stored in the file, else
    the one in its name, else the one in its folder's name. One that all files store alike, 0 or 1, was never counted.

    Args:
        paths: files, folders (their files, not those of folders in them) and globs, `**` too; addresses of remote ones.
        pattern: a file-name glob with `{epoch}` in it; files that it does not match are skipped.
        skip_bad: go on without the files that are no checkpoints.
        trust_pickle: let pickles run code while their epoch is read.

    Raises:
        RunError: nothing was found, two files have one epoch, or an epoch cannot be told.
        CheckpointError: a file is no checkpoint, and `skip_bad` is off.
    """
    files, notes = _expand([str(remote.place(path)) for path in paths])
    if pattern is not None:
        bad: tuple[BadCheckpoint, ...] = ()
        doubts: tuple[Doubt, ...] = ()
        entries = _by_pattern(files, pattern, notes)
    else:
        stored, bad = _peek_all(files, skip_bad, trust_pickle)
        entries, doubts = _by_content(stored, notes)
    entries.sort(key=lambda entry: entry.epoch)
    _refuse_duplicates(entries)
    if gaps := describe_gaps([entry.epoch for entry in entries]):
        notes.append(gaps)
    return CheckpointFiles(tuple(entries), bad, tuple(notes), doubts)


def shard(checkpoints: CheckpointFiles, part: str) -> CheckpointFiles:
    """The k-th of n interleaved parts of a run, for several ranks or machines that fill one store.

    Args:
        checkpoints: all of them.
        part: "k/n" with 1 <= k <= n.

    Raises:
        RunError: the text is nothing of the kind.
    """
    numbers = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", part)
    k, n = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if not 1 <= k <= n:
        raise RunError(f"--shard {printable(part)!r}: not a part of a whole", "Give k/n with k from 1 to n: 1/2, 2/2.")
    return replace(checkpoints, entries=checkpoints.entries[k - 1 :: n])


def _expand(paths: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Every file that is meant, once, and what to say of the others."""
    files: dict[Path, Path] = {}
    skipped = 0
    for text in paths:
        named = Path(text)
        listed = [] if named.is_file() else listing(text)
        if named.is_file() or (is_checkpoint_folder(named) and not any(map(is_checkpoint_folder, listed))):
            checkpoints: Iterable[Path] = [named]
        else:
            _refuse_missing(text, listed)
            visible = [path for path in outside_checkpoints(listed) if not path.name.startswith(".")]
            checkpoints = [path for path in visible if is_checkpoint(path)]
            skipped += len(visible) - len(checkpoints)
            if not checkpoints:
                raise RunError(
                    f"{printable(text)}: no checkpoints in it",
                    f"Name a folder with {', '.join(sorted(SUFFIXES))} files.",
                )
        for path in checkpoints:
            files.setdefault(path.resolve(), path)
    if not files:
        raise RunError("no checkpoints were named", "Give a folder, files or a glob.")
    notes = [f"skipped {skipped} {_plural('file', skipped)} that {_are(skipped)} no checkpoint"] if skipped else []
    return list(files.values()), notes


def outside_checkpoints(paths: list[Path]) -> list[Path]:
    """The files, and the folders that are checkpoints, without the files in those."""
    folders = {path for path in paths if is_checkpoint_folder(path)}
    return [path for path in paths if path in folders or (path.is_file() and not folders.intersection(path.parents))]


def _refuse_missing(text: str, listed: list[Path]) -> None:
    if listed or Path(text).is_dir():
        return
    if _is_glob(text):
        raise RunError(f"{printable(text)}: matches no file", "Check the glob; '**' goes down into folders.")
    raise RunError(f"{printable(text)}: no such file or folder", "Check the path; a glob needs quotes.")


def _is_glob(text: str) -> bool:
    return bool(set(text) & set("*?["))


def listing(text: str) -> list[Path]:
    """What is in a folder or matches a glob, sorted; nothing where that is not there.

    Raises:
        RunError: the folder cannot be listed, or the glob cannot be one.
    """
    named = Path(text)
    if named.is_dir():
        try:
            return sorted(named.iterdir())
        except OSError as error:
            raise RunError(
                f"{printable(text)}: cannot be listed ({what_it_says(error)})", "Make the folder readable."
            ) from error
    if not _is_glob(text):
        return []
    root = Path(named.anchor or ".")
    try:
        return sorted(root.glob(named.relative_to(named.anchor).as_posix()))
    except ValueError as error:
        raise RunError(f"{printable(text)}: {error}", "'**' stands for whole folders: 'runs/**/*.pt'.") from error


def is_checkpoint(path: Path) -> bool:
    """Whether a file is one by its ending or by what is in it, or a folder by what is in it."""
    if path.is_dir():
        return is_checkpoint_folder(path)
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        formats.format_of(path)
    except CheckpointError:
        return False
    return True


def _peek_all(
    files: list[Path], skip_bad: bool, trust_pickle: bool
) -> tuple[dict[Path, int | None], tuple[BadCheckpoint, ...]]:
    """The epochs that the files hold, and the files that are no checkpoints."""
    peeked = {path: _peek(path, trust_pickle) for path in files}
    stored = {path: epoch for path, epoch in peeked.items() if not isinstance(epoch, CheckpointError)}
    failed = {path: error for path, error in peeked.items() if isinstance(error, CheckpointError)}
    if failed and not (skip_bad and stored):
        first = next(iter(failed.values()))
        others = f" ({len(failed) - 1} more of {len(files)} files cannot be used)" if len(failed) > 1 else ""
        advice = " --skip-bad goes on without it." if stored else ""
        raise CheckpointError(first.what + others, first.remedy + advice)
    return stored, tuple(BadCheckpoint(str(path), error.what) for path, error in failed.items())


def _peek(path: Path, trust_pickle: bool) -> int | CheckpointError | None:
    """The epoch that a file holds, if it does, or why it is no checkpoint."""
    try:
        return formats.stored_epoch(path, ReadOptions(trust_pickle))
    except CheckpointError as error:
        return error


def _by_pattern(files: list[Path], pattern: str, notes: list[str]) -> list[CheckpointFile]:
    regex = epoch_pattern(pattern)
    matches = [(regex.fullmatch(path.as_posix()), path) for path in files]
    entries = [CheckpointFile(int(match["epoch"]), path) for match, path in matches if match]
    if not entries:
        raise RunError(
            f"--epochs {printable(pattern)!r}: matches none of {len(files)} {_plural('file', len(files))}",
            f"Their names are like {printable(files[0].name)!r}.",
        )
    if others := len(files) - len(entries):
        notes.append(f"skipped {others} {_plural('file', others)} that --epochs does not match")
    return entries


def _by_content(stored: dict[Path, int | None], notes: list[str]) -> tuple[list[CheckpointFile], tuple[Doubt, ...]]:
    """The epoch of each file, and the doubts about those whose names say another."""
    named = epochs_from_names(list(stored))
    both = [
        NamedFile(path, name, held)
        for (path, held), name in zip(stored.items(), named, strict=True)
        if held is not None and name is not None
    ]
    if len(both) == len(stored) and never_counted(both):
        notes.append(f"all files store epoch {both[0].stored}: the epochs in their names are taken")
        return [CheckpointFile(file.named, file.path) for file in both], ()
    if note := describe_difference(both):
        notes.append(note)
    epochs = [name if held is None else held for held, name in zip(stored.values(), named, strict=True)]
    if epochs == [None]:
        notes.append("no epoch in the file or its name: taken as epoch 0")
        epochs = [0]
    unknown = [path for path, epoch in zip(stored, epochs, strict=True) if epoch is None]
    if unknown:
        shown = ", ".join(printable(path) for path in unknown[:_LISTED]) + (", …" if len(unknown) > _LISTED else "")
        raise RunError(
            f"the epoch of {len(unknown)} {_plural('file', len(unknown))} cannot be told: {shown}",
            "Say where it stands in the names, such as --epochs 'net_{epoch}_*.pt', or leave them out.",
        )
    entries = [CheckpointFile(epoch, path) for path, epoch in zip(stored, epochs, strict=True) if epoch is not None]
    return entries, epoch_doubts(both)


def _refuse_duplicates(entries: list[CheckpointFile]) -> None:
    for one, other in pairwise(entries):
        if one.epoch == other.epoch:
            raise RunError(
                f"epoch {one.epoch} is there twice: {printable(one.path)} and {printable(other.path)}",
                "Leave one of them out, or say where the epoch stands in the names with --epochs.",
            )


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
