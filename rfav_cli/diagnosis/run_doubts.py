"""Whether all checkpoints of a store are of one training: what their weights and their files say against it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.copies import find_copies
from rfav_cli.diagnosis.strands import Lineage, Strand, find_strands, pairs
from rfav_cli.records import Doubt
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rfav_cli.records import History

_LISTED = 5

_FEW = 1 / 3
"""Share of the checkpoints up to which those of other strands are foreign ones in a run, and no second run."""

ONE_RUN = "Give the files of one run, each run a store of its own, and measure with --fresh."
_COPIED = "Save what the net holds after each epoch; check that the optimizer has its parameters and a rate above 0."


def run_doubts(history: History) -> tuple[Doubt, ...]:
    """Why the checkpoints of a store may not be those of one run.

    Nothing is said of the step from the first checkpoint to the second: a high learning rate may leave little of the
    weights that a training begins with.
    """
    groups = find_copies(history)
    lineage = Lineage(history, copies=[row for group in groups for row in group[1:]])
    return (*_copies(history, groups), *_strands(history, lineage))


def _copies(history: History, groups: Sequence[tuple[int, ...]]) -> Iterator[Doubt]:
    """One doubt on all checkpoints that hold the same weights."""
    if not groups:
        return
    if len(groups[0]) == len(history):
        yield Doubt("run", "", f"all {len(history)} checkpoints hold the same weights", _COPIED, 0.95)
        return
    named = [f"{_epochs(history, group)} hold the same weights ({_files(history, group)})" for group in groups]
    more = f"; so do {len(named) - _LISTED} more groups" if len(named) > _LISTED else ""
    copied = sum(len(group) - 1 for group in groups)
    follow = all(np.diff(group).max() == 1 for group in groups)
    yield Doubt(
        "run",
        f"epoch {history.checkpoints[groups[0][1]].epoch}",
        "; ".join(named[:_LISTED]) + more,
        f"Leave the copies out. {_COPIED}",
        0.9 if copied > _FEW * len(history) or not follow else 0.6,
    )


def _strands(history: History, lineage: Lineage) -> Iterator[Doubt]:
    """Files of another run among those of one, two runs that are mixed, or one run after another."""
    strands = find_strands(lineage)
    mixed = sorted((strand for strand in strands if _overlaps(strand, strands)), key=lambda one: -len(one.members))
    aside = sorted(row for strand in mixed[1:] for row in strand.members)
    if aside and len(aside) <= _FEW * len(lineage):
        yield _foreign(history, lineage, aside, mixed[0])
    elif aside:
        yield _mixture(history, lineage, mixed[0], mixed[1])
    else:
        for before, after in zip(strands, strands[1:], strict=False):
            if _is_break(lineage, before, after):
                yield _break(history, lineage, before, after)


def _overlaps(strand: Strand, strands: Sequence[Strand]) -> bool:
    """Whether there are checkpoints of another strand between those of this one, or this one's between another's."""
    first, last = strand.span
    return any(other is not strand and other.span[0] < last and first < other.span[1] for other in strands)


def _foreign(history: History, lineage: Lineage, rows: Sequence[int], main: Strand) -> Doubt:
    checkpoints = lineage.rows[list(rows)]
    words = f"{_epochs(history, checkpoints)} ({_files(history, checkpoints)}) do not belong to this run"
    if len(rows) == 1:
        words = words.replace("do not", "does not", 1)
    return Doubt(
        "run",
        f"epoch {lineage.epochs[rows[0]]}",
        f"{words}: {_apart(lineage, rows[0], main)}",
        "Put the right file in its place or leave it out, and measure with --fresh.",
        0.95,
    )


def _mixture(history: History, lineage: Lineage, one: Strand, other: Strand) -> Doubt:
    one, other = sorted((one, other), key=lambda strand: strand.span)
    parts = (lineage.rows[list(strand.members)] for strand in (one, other))
    listed = " and of ".join(f"{_epochs(history, part)} ({_files(history, part[:1])} …)" for part in parts)
    words = f"two runs are mixed, that of {listed}: {_apart(lineage, other.members[0], one)}"
    return Doubt("run", "", words, ONE_RUN, 0.95)


def _apart(lineage: Lineage, row: int, strand: Strand) -> str:
    """How far a checkpoint is from the two of a strand beside it, and how near these are to each other."""
    earlier = [member for member in strand.members if member < row]
    later = [member for member in strand.members if member > row]
    before, after = (earlier[-1], later[0]) if earlier and later else strand.members[:2]
    epoch, one, other = (int(lineage.epochs[index]) for index in (row, before, after))
    if lineage.are_unrelated(min(before, row), max(before, row)):
        return (
            f"the weights of epoch {epoch} correlate by {lineage.correlation(before, row):.2f} at most with those of epoch "
            f"{one}, and those of epochs {one} and {other} by {lineage.correlation(before, after):.2f}"
        )
    far = min(lineage.distance(before, row), lineage.distance(row, after))
    times = far / lineage.distance(before, after)
    return f"its weights are {times:.0f} times as far from those of epochs {one} and {other} as these from each other"


def _is_break(lineage: Lineage, before: Strand, after: Strand) -> bool:
    """Whether nothing goes on where a strand ends, though elsewhere something does over as many epochs.

    Where checkpoints are few and the weights decay, neighbours may have nothing in common in any run.
    """
    last, first = before.members[-1], after.members[0]
    gap = lineage.epochs[first] - lineage.epochs[last]
    sides = (before,) if after.span == (len(lineage) - 1,) * 2 else (before, after)
    return lineage.are_unrelated(last, first) and all(
        any(lineage.epochs[b] - lineage.epochs[a] >= gap and lineage.are_related(a, b) for a, b in pairs(strand))
        for strand in sides
    )


def _break(history: History, lineage: Lineage, before: Strand, after: Strand) -> Doubt:
    last, first = before.members[-1], after.members[0]
    usual = np.median([lineage.correlation(a, b) for strand in (before, after) for a, b in pairs(strand)])
    epoch = int(lineage.epochs[first])
    is_last = first == len(lineage) - 1
    return Doubt(
        "run",
        f"epoch {epoch}",
        f"{'' if is_last else 'from '}epoch {epoch}{'' if is_last else ' on'} ({_files(history, lineage.rows[[first]])}) "
        f"{'is of' if is_last else 'this is'} another run, or one that began anew: its weights correlate by "
        f"{lineage.correlation(last, first):.2f} at most with those of epoch {lineage.epochs[last]}, those of other "
        f"neighbours by {usual:.2f}",
        ONE_RUN,
        0.9,
    )


def _epochs(history: History, rows: Sequence[int] | np.ndarray) -> str:
    numbers = [str(history.checkpoints[row].epoch) for row in rows]
    listed = ", ".join(numbers[:_LISTED]) + (f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else "")
    return f"{'epoch' if len(numbers) == 1 else 'epochs'} {listed}"


def _files(history: History, rows: Sequence[int] | np.ndarray) -> str:
    names = [printable(PurePath(history.checkpoints[row].path).name) for row in rows]
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
