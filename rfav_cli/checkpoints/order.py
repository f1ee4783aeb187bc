"""Tells epochs and steps from the names of files and folders, and gaps from a list of epochs."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from rfav_cli.errors import RunError
from rfav_cli.records.strides import stride_of
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_WORD = re.compile(r"(?:epochs?|(?<![a-z])ep)(?:[_=. ]+|-)?(-?\d{1,9})(?!\d)", re.IGNORECASE)
_STEP = re.compile(
    r"(?:steps?|iter(?:ation)?s?|(?<![a-z])(?:it|its|updates?))(?:[_=. ]+|-)?(\d{1,9})(?!\d)", re.IGNORECASE
)
_PLACE = re.compile(
    r"(?:.*[^a-z])?(?:epochs?|ep|(?:global_?)?steps?|iter(?:ation)?s?|checkpoints?|ckpts?|chkpts?)[_=. -]*-?\d+(?!\d).*"
    r"|\d{1,6}",
    re.IGNORECASE,
)
_OF_TRAINER = re.compile(r"checkpoint-\d{1,9}")
_RUN_WORD = re.compile(
    r"(?<![a-z])(?:fold|seed|run|trial|exp|experiment|version|split|rank|member|train)(?![a-z])", re.I
)
_NICKNAME = re.compile(
    r"(?<![a-z])(?:best|last|latest|final|newest|recent|current|lowest|highest|top)(?![a-z])", re.IGNORECASE
)
_UNTRAINED = re.compile(r"(?<![a-z])(?:init|initial|untrained)(?![a-z])", re.IGNORECASE)
# Decimals, powers such as 1e-3 and versions such as v2 are no epochs; a minus counts behind "_", "=", "." and in front.
_NUMBER = re.compile(
    r"(?P<other>\d+(?:\.\d+)+|\d+(?:\.\d+)?e-?\d+|(?<![a-z])v\d+|\d{10,})|(?P<whole>(?:(?<![^_=. ])-)?\d+)",
    re.IGNORECASE,
)
_LISTED = 3


def epochs_from_names(paths: Sequence[Path], *, folders: bool = True, steps: bool = False) -> list[int | None]:
    """The epoch in each file's name, else in its folder's if `folders`, else None.

    A number behind "epoch" or "ep" comes first, then one behind "step" or "iter" (the other way round if `steps`),
    then `init`, `initial` and `untrained`, which are -1, then the last whole number. Where names differ in several
    numbers, the last one that is different in all of them is meant. A folder's number counts where it is named after
    an epoch or step, or where the folders are alike but for it and are not named as runs are.
    """
    numbers = _from_texts([path.stem for path in paths], steps)
    if not folders or None not in numbers:
        return numbers
    parents = [path.absolute().parent for path in paths]
    for depth in range(2):
        names = [folder.name for folder in parents]
        above = _from_texts(names, steps)
        differ = depth == 0 and len(set(names)) > 1 and len({_NUMBER.sub("#", name) for name in names}) == 1
        count = differ and not _RUN_WORD.search(names[0])
        numbers = [
            number if number is not None or not (count or is_place(name)) else folder
            for number, name, folder in zip(numbers, names, above, strict=True)
        ]
        parents = [folder.parent for folder in parents]
    return numbers


def is_place(name: str) -> bool:
    """Whether a folder is named after an epoch or step: "epoch_3", "checkpoint-500", "0003"."""
    return _PLACE.fullmatch(name) is not None


def is_nickname(path: Path) -> bool:
    """Whether a name says what a checkpoint is for, such as "best" or "last", and no epoch."""
    return _NICKNAME.search(path.stem) is not None and not says_epoch(path) and not _STEP.search(path.stem)


def has_step(path: Path) -> bool:
    """Whether a name or its folder's has a step, maybe beside an epoch: "epoch=0-step=100"."""
    return any(_STEP.search(name) or _is_of_trainer(path, name) for name in (path.stem, path.absolute().parent.name))


def says_step(path: Path) -> bool:
    """Whether the number in a name is a step, as in the folders of the trainer of transformers, and not an epoch."""
    names = (path.stem, path.absolute().parent.name)
    return has_step(path) and not any(_WORD.search(name) for name in names)


def _is_of_trainer(path: Path, name: str) -> bool:
    return _OF_TRAINER.fullmatch(name) is not None and (name != path.name or path.is_dir())


def says_run(paths: Sequence[Path]) -> bool:
    """Whether the numbers in names may be those of runs, folds or seeds."""
    return any(_RUN_WORD.search(path.stem) for path in paths)


def says_epoch(path: Path) -> bool:
    """Whether a name has the word before a number, so that the number can be nothing else."""
    return _WORD.search(path.stem) is not None


def form_of(path: Path) -> str:
    """A file's name with "#" for each number: numbers of names of one form count the same things."""
    return _NUMBER.sub("#", path.stem)


def glob_of(path: Path) -> str:
    """A glob of the files that are named like one."""
    return _NUMBER.sub("*", path.stem) + path.suffix


def epoch_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of a file-name glob with `{epoch}` or `{step}` in it; `*`, `?` never cross a folder.

    Raises:
        RunError: `{epoch}` is not there exactly once.
    """
    if "{epoch}" not in pattern:
        pattern = pattern.replace("{step}", "{epoch}")
    before, placeholder, after = pattern.partition("{epoch}")
    if not placeholder or "{epoch}" in after:
        raise RunError(
            f"--epochs {printable(pattern)!r}: {{epoch}} has to stand in it once",
            "Give a file name with {epoch} for the number, such as 'net_{epoch}_*.pt'.",
        )
    return re.compile(rf"(?:.*/)?{_glob(before)}(?<!\d)(?P<epoch>-?\d{{1,9}})(?!\d){_glob(after)}", re.DOTALL)


def describe_gaps(epochs: Sequence[int], unit: str = "epoch") -> str:
    """Which epochs or steps a run lacks, and its stride; empty where it has every one.

    Args:
        epochs: ascending; -1, before training, is no part of the stride.
        unit: "epoch" or "step".
    """
    trained = [epoch for epoch in epochs if epoch >= 0]
    stride = stride_of(trained)
    gaps = [(a + stride, b - stride) for a, b in pairwise(trained) if b - a > stride]
    parts = [_missing(gaps, unit)] if gaps else []
    return "; ".join([*parts, f"every {_ordinal(stride)} {unit}"] if stride > 1 else parts)


def _from_texts(texts: Sequence[str], steps: bool) -> list[int | None]:
    epochs = [_named(text, steps) for text in texts]
    alike = defaultdict(list)
    for index, text in enumerate(texts):
        if epochs[index] is None:
            alike[_NUMBER.sub("#", text)].append(index)
    for indices in alike.values():
        for index, number in zip(indices, _numbers([texts[i] for i in indices]), strict=True):
            epochs[index] = number
    return epochs


def _named(text: str, steps: bool) -> int | None:
    for word in (_STEP, _WORD) if steps else (_WORD, _STEP):
        if found := word.search(text):
            return int(found[1])
    return -1 if _UNTRAINED.search(text) else None


def _numbers(texts: Sequence[str]) -> list[int] | list[None]:
    """The number that is meant in texts that are alike but for their numbers."""
    columns = list(
        zip(*([int(m["whole"]) for m in _NUMBER.finditer(text) if m["whole"]] for text in texts), strict=True)
    )
    if not columns:
        return [None] * len(texts)
    apart = [column for column in columns if len(set(column)) == len(column)]
    varying = [column for column in columns if len(set(column)) > 1]
    return list((apart or varying or columns)[-1])


def _glob(text: str) -> str:
    wild = {"*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(character, re.escape(character)) for character in text)


def _missing(gaps: list[tuple[int, int]], unit: str) -> str:
    shown = [str(first) if first >= last else f"{first} to {last}" for first, last in gaps[:_LISTED]]
    if len(gaps) > _LISTED:
        return f"{unit}s {', '.join(shown)} and {len(gaps) - _LISTED} more stretches are missing"
    single = len(gaps) == 1 and gaps[0][0] >= gaps[0][1]
    return f"{unit} {shown[0]} is missing" if single else f"{unit}s {', '.join(shown)} are missing"


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
