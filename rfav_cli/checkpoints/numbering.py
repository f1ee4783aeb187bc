"""The epoch or step of each checkpoint of a run: by what they store, by their names, and by being a copy of another."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from rfav_cli.checkpoints.order import epochs_from_names, form_of, glob_of, has_step, is_nickname, says_epoch, says_step
from rfav_cli.checkpoints.stored_epochs import NamedFile, describe_difference, epoch_doubts, never_counted
from rfav_cli.checkpoints.wording import listed
from rfav_cli.errors import RunError
from rfav_cli.text import count, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rfav_cli.checkpoints.contents import Contents
    from rfav_cli.checkpoints.copies import Copies
    from rfav_cli.records import Doubt

Unit = Literal["epoch", "step"]
UNITS: tuple[str, ...] = ("auto", *get_args(Unit))
"""What `--unit` can be."""


@dataclass
class Numbered:
    """The checkpoints of a run by their numbers.

    Attributes:
        numbers: of each checkpoint, its epoch or step.
        unit: which of the two.
        notes: how they were told.
        doubts: about those whose names say another.
    """

    numbers: dict[Path, int]
    unit: str = "epoch"
    notes: list[str] = field(default_factory=list)
    doubts: tuple[Doubt, ...] = ()


def assign_numbers(
    contents: Sequence[Contents], unit: str, copies: Copies, whole: frozenset[Path] = frozenset()
) -> Numbered:
    """Tell the epoch or step of each checkpoint.

    What is named after its epoch, or holds one while its name says nothing else, comes first. What is named after its
    purpose, such as "last" or "best", is then a copy of one of these, or an epoch of its own where it says which.

    Args:
        contents: of the checkpoints.
        unit: "auto", "epoch" or "step".
        copies: tells copies.
        whole: folders with other checkpoints in them: their names are those of the run.

    Raises:
        RunError: two checkpoints have one number and other weights, or a number cannot be told.
    """
    steps = unit == "step"
    names = epochs_from_names([found.path for found in contents], steps=steps)
    named = dict(zip([found.path for found in contents], names, strict=True))
    loose = [found for found in contents if found.path in whole or named[found.path] is None]
    rest = [found for found in contents if found not in loose]
    nicknamed = [found for found in rest if is_nickname(found.path)]
    if plain := [found for found in rest if found not in nicknamed]:
        beside = {found.path.parent for found in plain}
        loose += [found for found in nicknamed if found.path.parent in beside]
    firm = [found for found in contents if found not in loose]
    result = _by_steps(firm, named) if steps else _by_epochs(firm, named, auto=unit == "auto")
    _drop_copies(result, copies)
    if unit == "auto":
        _count_steps_where_epochs_repeat(result, firm)
    refuse_repeated(result.numbers, result.unit)
    _place_loose(result, loose, copies, counted=_stored_counts(result, firm, steps=steps), steps=steps)
    return result


def _by_epochs(firm: Sequence[Contents], named: Mapping[Path, int | None], *, auto: bool) -> Numbered:
    """By the epochs that are stored in all files, where they count; else by the names."""
    files = [
        NamedFile(found.path, name, found.epoch)
        for found in firm
        if found.epoch is not None and (name := named[found.path]) is not None
    ]
    by_name = Numbered({found.path: name for found in firm if (name := named[found.path]) is not None})
    in_steps = auto and _names_count_steps(firm, named)
    if in_steps:
        by_name.unit = "step"
    if len(files) == len(firm) and never_counted(files):
        by_name.notes.append(f"all files store epoch {files[0].stored}: the {by_name.unit}s in their names are taken")
        return by_name
    trained = [found for found in firm if (named[found.path] or 0) >= 0]
    some = [found for found in trained if found.epoch is None]
    if files and some:
        if in_steps or any(file.difference for file in files if file.named >= 0):
            by_name.notes.append(
                f"{len(some)} of {len(trained)} files store no epoch: the {by_name.unit}s in the names are taken"
            )
        return by_name
    if not files:
        return by_name
    stored = {found.path: named[found.path] if found.epoch is None else found.epoch for found in firm}
    result = Numbered({path: epoch for path, epoch in stored.items() if epoch is not None})
    result.doubts = epoch_doubts(files)
    if in_steps:
        result.notes.append(
            "the epochs stored in the checkpoints are taken, not the steps in their names; --unit step takes these"
        )
    elif note := describe_difference(files):
        result.notes.append(note)
    return result


def _by_steps(firm: Sequence[Contents], named: Mapping[Path, int | None]) -> Numbered:
    """By the steps in the names, else by those that are stored."""
    return Numbered({found.path: step_of(found.path, named[found.path], found.step) for found in firm}, "step")


def step_of(path: Path, named: int | None, stored: int | None) -> int:
    """The step of a checkpoint: the one in its name where that says so, else the one stored, else the number there.

    Args:
        path: of the checkpoint.
        named: the number in its name.
        stored: the step stored in it.

    Raises:
        RunError: it says none.
    """
    says = has_step(path) or named == -1
    step = named if says or (stored is None and not says_epoch(path)) else stored
    if step is None:
        raise RunError(
            f"--unit step: {printable(path)} says no step, in its name or in itself",
            "Leave --unit out, or say where the step stands in the names, such as --epochs 'net_{step}_*.pt'.",
        )
    return step


def _names_count_steps(firm: Sequence[Contents], named: Mapping[Path, int | None]) -> bool:
    """Whether the numbers in names are steps: they say so, or the steps that are stored are the same."""
    trained = [found for found in firm if (named[found.path] or 0) >= 0]
    said = all(says_step(found.path) for found in trained)
    stored = len({found.step for found in trained}) > 1 and all(
        found.step is not None and found.step == named[found.path] != found.epoch for found in trained
    )
    return bool(trained) and (said or stored)


def _count_steps_where_epochs_repeat(result: Numbered, firm: Sequence[Contents]) -> None:
    """Where several checkpoints an epoch were saved: take their steps, where all are named alike and say them."""
    repeated = len(set(result.numbers.values())) < len(result.numbers)
    paths = list(result.numbers)
    if not repeated or len({form_of(path) for path in paths}) > 1 or len({path.parent for path in paths}) > 1:
        return
    stored = {found.path: found.step for found in firm}
    named = dict(zip(paths, epochs_from_names(paths, folders=False, steps=True), strict=True))
    steps = {path: named[path] if has_step(path) else stored[path] for path in paths}
    known = {path: step for path, step in steps.items() if step is not None}
    if len(known) == len(paths) == len(set(known.values())):
        result.numbers, result.unit, result.doubts = known, "step", ()
        # In the place of what was noted of epochs, which no longer count.
        result.notes = ["several checkpoints are of one epoch: the run is counted by its steps"]


def _drop_copies(result: Numbered, copies: Copies) -> None:
    """Of checkpoints with one number and the same weights, keep the one that is named like most."""
    usual = Counter(form_of(path) for path in result.numbers)
    dropped = []
    for paths in _by_number(result.numbers).values():
        kept: list[Path] = []
        for path in sorted(paths, key=lambda path: (is_nickname(path), -usual[form_of(path)], str(path))):
            if copies.original_of(path, kept):
                dropped.append(f"{path.name} ({result.unit} {result.numbers.pop(path)})")
            else:
                kept.append(path)
    _say_copies(result, dropped)


def _say_copies(result: Numbered, copied: Sequence[str]) -> None:
    if copied:
        result.notes.append(
            f"passed over {'a copy' if len(copied) == 1 else 'copies'}, by the same weights: {listed(copied)}"
        )


def refuse_repeated(numbers: Mapping[Path, int], unit: str) -> None:
    """Refuse two checkpoints with one number.

    Raises:
        RunError: there are two.
    """
    for shared, paths in sorted(_by_number(numbers).items()):
        if len(paths) > 1:
            one, other = paths[:2]
            remedy = "Leave one of them out, with --exclude, or say where the epoch stands in the names with --epochs."
            if glob_of(one) != glob_of(other):
                remedy = (
                    f"Name those of one run, as '{printable(one.with_name(glob_of(one)))}', or leave others out: "
                    f"--exclude '{printable(glob_of(other))}'."
                )
            raise RunError(f"{unit} {shared} is there twice: {printable(one)} and {printable(other)}", remedy)


def _by_number(numbers: Mapping[Path, int]) -> dict[int, list[Path]]:
    """The checkpoints a number."""
    found = defaultdict(list)
    for path, number in numbers.items():
        found[number].append(path)
    return found


def _stored_counts(result: Numbered, firm: Sequence[Contents], *, steps: bool) -> bool:
    """Whether what is stored is counted as the numbers are, so that it places a checkpoint among them."""
    if result.unit == "step" and not steps:
        return False
    return all(
        (found.step if steps else found.epoch) in (None, result.numbers[found.path])
        for found in firm
        if found.path in result.numbers
    )


def _place_loose(result: Numbered, loose: Sequence[Contents], copies: Copies, *, counted: bool, steps: bool) -> None:
    """Place what says no number by its name: as a copy, by what it stores, or not at all."""
    copied, unknown = [], []
    for found in sorted(loose, key=lambda found: (found.epoch is None, str(found.path))):
        stored = found.step if steps or result.unit == "step" else found.epoch
        near = sorted(result.numbers, key=lambda path: (result.numbers[path] != stored, -result.numbers[path]))
        if original := copies.original_of(found.path, near):
            copied.append(f"{found.path.name} ({result.unit} {result.numbers[original]})")
        elif counted and stored is not None and stored >= 0 and stored not in result.numbers.values():
            # A stored -1 says "finished" where ultralytics wrote it, and not "untrained".
            result.numbers[found.path] = stored
        else:
            unknown.append(found)
    _say_copies(result, copied)
    if unknown and result.numbers:
        result.notes.append(
            f"left out, since their {result.unit} is not known and their weights are of no other file: "
            f"{listed(found.path.name for found in unknown)}"
        )
    elif unknown:
        _take_alone(result, unknown, copies)


def _take_alone(result: Numbered, unknown: Sequence[Contents], copies: Copies) -> None:
    """A run of one checkpoint needs no number.

    Raises:
        RunError: there are several.
    """
    first, *others = [found.path for found in unknown]
    apart = [path for path in others if not copies.same_weights(path, first)]
    if apart:
        raise RunError(
            f"the epoch of {count(len(apart) + 1, 'file')} cannot be told: {listed([first, *apart])}",
            "Say where it stands in the names, such as --epochs 'net_{epoch}_*.pt', or name one of them.",
        )
    result.numbers[first] = 0
    result.notes.append("no epoch in the file or its name: taken as epoch 0")
    _say_copies(result, [path.name for path in others])
