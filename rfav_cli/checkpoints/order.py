"""Tells epochs from the names of files, and gaps from a list of epochs."""

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
_UNTRAINED = re.compile(r"(?<![a-z])(?:init|initial|untrained)(?![a-z])", re.IGNORECASE)
# Decimals, powers such as 1e-3 and versions such as v2 are no epochs; a minus counts behind "_", "=", "." and in front.
_NUMBER = re.compile(
    r"(?P<other>\d+(?:\.\d+)+|\d+(?:\.\d+)?e-?\d+|(?<![a-z])v\d+|\d{10,})|(?P<whole>(?:(?<![^_=. ])-)?\d+)",
    re.IGNORECASE,
)
_LISTED = 3


def epochs_from_names(paths: Sequence[Path], *, folders: bool = True) -> list[int | None]:
    """The epoch in each file's name, else in its folder's if `folders`, else None.

    A number behind "epoch" or "ep" comes first, then `init`, `initial` and `untrained`, which are -1, then the last
    whole number. Where names differ in several numbers, the last one that is different in all of them is meant.
    """
    epochs = _from_texts([path.stem for path in paths])
    if not folders:
        return epochs
    above = _from_texts([path.absolute().parent.name for path in paths])
    return [folder if epoch is None else epoch for epoch, folder in zip(epochs, above, strict=True)]


def says_epoch(path: Path) -> bool:
    """Whether a name has the word before a number, so that the number can be nothing else."""
    return _WORD.search(path.stem) is not None


def form_of(path: Path) -> str:
    """A file's name with "#" for each number: numbers of names of one form count the same things."""
    return _NUMBER.sub("#", path.stem)


def epoch_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of a file-name glob with `{epoch}` in it; `*` and `?` never cross a folder.

    Raises:
        RunError: `{epoch}` is not there exactly once.
    """
    before, placeholder, after = pattern.partition("{epoch}")
    if not placeholder or "{epoch}" in after:
        raise RunError(
            f"--epochs {printable(pattern)!r}: {{epoch}} has to stand in it once",
            "Give a file name with {epoch} for the number, such as 'net_{epoch}_*.pt'.",
        )
    return re.compile(rf"(?:.*/)?{_glob(before)}(?<!\d)(?P<epoch>-?\d{{1,9}})(?!\d){_glob(after)}", re.DOTALL)


def describe_gaps(epochs: Sequence[int]) -> str:
    """Which epochs a run lacks, and its stride; empty where it has every epoch.

    Args:
        epochs: ascending; -1, before training, is no part of the stride.
    """
    trained = [epoch for epoch in epochs if epoch >= 0]
    stride = stride_of(trained)
    gaps = [(a + stride, b - stride) for a, b in pairwise(trained) if b - a > stride]
    parts = [_missing(gaps)] if gaps else []
    return "; ".join([*parts, f"every {_ordinal(stride)} epoch"] if stride > 1 else parts)


def _from_texts(texts: Sequence[str]) -> list[int | None]:
    epochs = [_named(text) for text in texts]
    alike = defaultdict(list)
    for index, text in enumerate(texts):
        if epochs[index] is None:
            alike[_NUMBER.sub("#", text)].append(index)
    for indices in alike.values():
        for index, number in zip(indices, _numbers([texts[i] for i in indices]), strict=True):
            epochs[index] = number
    return epochs


def _named(text: str) -> int | None:
    if word := _WORD.search(text):
        return int(word[1])
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


def _missing(gaps: list[tuple[int, int]]) -> str:
    shown = [str(first) if first >= last else f"{first} to {last}" for first, last in gaps[:_LISTED]]
    if len(gaps) > _LISTED:
        return f"epochs {', '.join(shown)} and {len(gaps) - _LISTED} more stretches are missing"
    single = len(gaps) == 1 and gaps[0][0] >= gaps[0][1]
    return f"epoch {shown[0]} is missing" if single else f"epochs {', '.join(shown)} are missing"


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
