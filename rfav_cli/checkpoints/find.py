"""Finds the checkpoints of a run and puts them in the order of their epochs or steps."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.contents import SEVERAL
from rfav_cli.checkpoints.copies import Copies
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.checkpoints.listing import Exclusion
from rfav_cli.checkpoints.looking import look_at
from rfav_cli.checkpoints.numbering import assign_numbers, refuse_repeated
from rfav_cli.checkpoints.order import describe_gaps, epoch_pattern, epochs_from_names, form_of, is_nickname
from rfav_cli.checkpoints.several_nets import of_one_net
from rfav_cli.checkpoints.wording import by_form, listed
from rfav_cli.errors import CheckpointError, RunError
from rfav_cli.records import BadCheckpoint
from rfav_cli.text import count, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rfav_cli.checkpoints.contents import Contents
    from rfav_cli.records import Doubt


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint, a file or a folder, and its epoch or step, -1 before training."""

    epoch: int
    path: Path


@dataclass(frozen=True)
class CheckpointFiles:
    """The checkpoints of a run.

    Attributes:
        entries: by epoch or step, ascending, none twice.
        bad: files that are no checkpoints.
        notes: what the user should be told of how the files were chosen.
        doubts: why these may not be the checkpoints of one run, each of its epoch.
        unit: what they are counted by, "epoch" or "step".
    """

    entries: tuple[CheckpointFile, ...]
    bad: tuple[BadCheckpoint, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    unit: str = "epoch"


@dataclass(frozen=True)
class Search:
    """What to leave out, and how to tell what is meant.

    Attributes:
        pattern: a file-name glob with `{epoch}` or `{step}` in it; files that it does not match are skipped.
        exclude: globs of what is left out.
        unit: "epoch", "step", or "auto" for what names and files say.
        skip_bad: go on without the files that are no checkpoints.
        trust_pickle: let pickles run code while they are looked into.
        is_of_net: whether the net takes a checkpoint's weights; asked only where there are those of several nets.
    """

    pattern: str | None = None
    exclude: Sequence[str] = ()
    unit: str = "auto"
    skip_bad: bool = False
    trust_pickle: bool = False
    is_of_net: Callable[[Path], bool] | None = None


def find_checkpoints(paths: Sequence[str], search: Search | None = None) -> CheckpointFiles:
    """Find a run's checkpoints and their epochs or steps.

    The epoch is the number at `{epoch}` in the pattern where one is given, else the one stored in the file, else
    the one in its name, else the one in its folder's name. One that all files store alike was never counted. What
    holds no weights, such as an optimizer's state, is passed over, as are copies.

    Args:
        paths: files, folders (their checkpoints; where there are none, those of the one run below) and globs; addresses
            of remote ones.
        search: what to leave out, and how to tell what is meant.

    Raises:
        RunError: nothing was found, several runs lie below a folder, two files have one epoch, or one cannot be told.
        CheckpointError: a file is no checkpoint, and `skip_bad` is off.
    """
    if not paths:
        raise RunError("no checkpoints were named", "Give a folder, files or a glob.")
    search = search or Search()
    options = ReadOptions(search.trust_pickle)
    looked = look_at(paths, Exclusion(search.exclude), options)
    contents, failed, notes = looked.contents, looked.failed, looked.notes
    if search.pattern is not None:
        contents, failed = _matching(contents, failed, search.pattern, notes)
    contents = _pass_over_others(contents, failed, notes)
    bad = _bad_of(contents, failed, search, notes)
    contents = of_one_net(contents, search.is_of_net, notes)
    if search.pattern is not None:
        return _by_pattern(contents, search, bad, notes)
    numbered = assign_numbers(contents, search.unit, Copies(options), looked.whole)
    notes += numbered.notes
    return _in_order(numbered.numbers, numbered.unit, bad, notes, numbered.doubts)


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


def _matching(
    contents: Sequence[Contents], failed: dict[Path, CheckpointError], pattern: str, notes: list[str]
) -> tuple[list[Contents], dict[Path, CheckpointError]]:
    """What `--epochs` matches."""
    regex = epoch_pattern(pattern)
    paths = [*(found.path for found in contents), *failed]
    meant = {path for path in paths if regex.fullmatch(path.as_posix())}
    if not meant:
        raise RunError(
            f"--epochs {printable(pattern)!r}: matches none of {count(len(paths), 'file')}",
            f"Their names are like {printable(paths[0].name)!r}.",
        )
    if others := len(paths) - len(meant):
        notes.append(f"skipped {count(others, 'file')} that --epochs does not match")
    kept = {path: error for path, error in failed.items() if path in meant}
    return [found for found in contents if found.path in meant], kept


def _by_pattern(
    contents: Sequence[Contents], search: Search, bad: tuple[BadCheckpoint, ...], notes: list[str]
) -> CheckpointFiles:
    pattern = search.pattern or ""
    regex = epoch_pattern(pattern)
    matches = {found.path: regex.fullmatch(found.path.as_posix()) for found in contents}
    numbers = {path: int(match["epoch"]) for path, match in matches.items() if match}
    unit = "step" if search.unit == "step" or ("{step}" in pattern and search.unit == "auto") else "epoch"
    refuse_repeated(numbers, unit)
    return _in_order(numbers, unit, bad, notes, ())


def _pass_over_others(
    contents: Sequence[Contents], failed: dict[Path, CheckpointError], notes: list[str]
) -> list[Contents]:
    """The checkpoints that hold weights; one that is named as they are and holds none is added to what failed.

    Raises:
        CheckpointError: there are checkpoints, and none of them does.
    """
    weights = [found for found in contents if not found.other]
    others = [found for found in contents if found.other]
    if others and not weights:
        first = others[0]
        more = f" ({len(others) - 1} more are no better)" if len(others) > 1 else ""
        own = "Save each state_dict in a file of its own, with its epoch in the name."
        raise CheckpointError(
            f"{first.path}: holds {first.other}, not a state_dict{more}",
            own if first.other == SEVERAL else "Save the net's state_dict() and give that.",
        )
    forms = {form_of(found.path) for found in weights}
    for found in others:
        if "#" in (form := form_of(found.path)) and form in forms:  # an epoch of the run, which would be missing
            failed[found.path] = CheckpointError(
                f"{found.path}: holds {found.other}, not a state_dict", "Save the net's state_dict() and give that."
            )
    others = [found for found in others if found.path not in failed]
    if others:
        named = by_form([found.path for found in others], [f" ({found.other})" for found in others])
        notes.append(f"passed over {count(len(others), 'file')} beside the weights: {listed(named)}")
    return weights


def _bad_of(
    contents: Sequence[Contents], failed: dict[Path, CheckpointError], search: Search, notes: list[str]
) -> tuple[BadCheckpoint, ...]:
    """The files that are no checkpoints; those whose names are of no epoch are passed over, where others have one.

    Raises:
        CheckpointError: there is one, and `skip_bad` is off.
    """
    of_epochs = [path for path in failed if epochs_from_names([path]) != [None] and not is_nickname(path)]
    if contents and len(of_epochs) < len(failed):
        strays = [path for path in failed if path not in of_epochs]
        reasons = (f"{path.name} ({failed[path].what.removeprefix(f'{path}: ')})" for path in strays)
        notes.append(f"passed over {count(len(strays), 'file')} that cannot be used: {listed(reasons)}")
        failed = {path: failed[path] for path in of_epochs}
    if failed and not (search.skip_bad and contents):
        path, first = next(iter(failed.items()))
        others = f" ({len(failed) - 1} more of {len(failed) + len(contents)} files cannot be used)"
        advice = f" --skip-bad goes on without it, as does --exclude {shlex.quote(printable(path.name))}."
        raise CheckpointError(
            first.what + (others if len(failed) > 1 else ""), first.remedy + (advice if contents else "")
        )
    return tuple(BadCheckpoint(str(path), error.what) for path, error in failed.items())


def _in_order(
    numbers: Mapping[Path, int],
    unit: str,
    bad: tuple[BadCheckpoint, ...],
    notes: list[str],
    doubts: tuple[Doubt, ...],
) -> CheckpointFiles:
    entries = sorted((CheckpointFile(epoch, path) for path, epoch in numbers.items()), key=lambda entry: entry.epoch)
    if gaps := describe_gaps([entry.epoch for entry in entries], unit):
        notes.append(gaps)
    return CheckpointFiles(tuple(entries), bad, tuple(notes), doubts, unit)
