"""Whether all checkpoints of a store are of one training: what their weights and their files say against it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.copies import find_copies
from rfav_cli.diagnosis.strands import Lineage, Strand, find_strands
from rfav_cli.records import Doubt
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rfav_cli.records import History

_LISTED = 5

_MANY = 1000

_FEW = 1 / 3
"""Share of the checkpoints up to which those of other strands are foreign ones in a run, and no second run."""

STEADY = 0.9
"""Correlation above which the weights of all later neighbours are, where the first checkpoint is held against them.

Measured in 474 series of trainings with learning rates from 0.01 to 3: none begins like that, and 121 of 156 that begin
with another run's checkpoint do.
"""

PUT_RIGHT = "Put the right files in their place or leave these out, and measure with --fresh."
ONE_RUN = "Give the files of one run, each run a store of its own, and measure with --fresh."
_COPIED = "Save what the net holds after each epoch; check that the optimizer has its parameters and a rate above 0."


def run_doubts(history: History) -> tuple[Doubt, ...]:
    """Why the checkpoints of a store may not be those of one run.

    Of the step from the first checkpoint to the second little is said: a high learning rate may leave little of the
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
    main = max(strands, key=lambda strand: len(strand.members), default=Strand(()))
    others = [strand for strand in strands if strand is not main and main.overlaps(strand)]
    aside = sorted(row for strand in others for row in strand.members)
    if aside and len(aside) <= _FEW * len(lineage):
        yield _foreign(history, lineage, aside, main, others[0])
    elif aside:
        yield _mixture(history, lineage, main, others)
    else:
        if _begins_apart(lineage, strands):
            yield _first(history, lineage, strands[1])
        for before, after in pairwise(strands):
            if _is_break(lineage, before, after):
                yield _break(history, lineage, before, after)


def _foreign(history: History, lineage: Lineage, rows: Sequence[int], main: Strand, other: Strand) -> Doubt:
    checkpoints, verb = lineage.rows[list(rows)], "is" if len(rows) == 1 else "are"
    return Doubt(
        "run",
        f"epoch {lineage.epochs[rows[0]]}",
        f"{_files(history, checkpoints)} {verb} not of this run: {_apart(lineage, main, other)}",
        PUT_RIGHT,
        0.95,
    )


def _mixture(history: History, lineage: Lineage, main: Strand, others: Sequence[Strand]) -> Doubt:
    largest = max(others, key=lambda strand: len(strand.members))
    runs = [main, *(strand for strand in others if strand is largest or len(strand.members) > 1)]
    parts = [lineage.rows[list(strand.members)] for strand in sorted(runs, key=lambda strand: strand.span)]
    listed = " and of ".join(f"{_epochs(history, part)} ({_files(history, part)})" for part in parts[:_LISTED])
    count = "two" if len(runs) == 2 else str(len(runs))
    one, other = sorted((main, largest), key=lambda strand: strand.span)
    return Doubt("run", "", f"{count} runs are mixed, that of {listed}: {_apart(lineage, one, other)}", ONE_RUN, 0.95)


def _apart(lineage: Lineage, one: Strand, other: Strand) -> str:
    """How far a checkpoint is from the two of another strand around it, and how near these are to each other."""
    row, before, after = (*one.enclosed(other), *other.enclosed(one))[0]
    epoch, first, last = (int(lineage.epochs[index]) for index in (row, before, after))
    between = f"epochs {first} and {last}"
    if lineage.are_unlike(before, row) or lineage.are_unlike(row, after):
        beside = min(lineage.correlation(before, row), lineage.correlation(row, after))
        return (
            f"the weights of epoch {epoch} correlate with those of {between} by {beside:.2f}, these with each other by "
            f"{lineage.correlation(before, after):.2f}"
        )
    far, near = min(lineage.distance(before, row), lineage.distance(row, after)), lineage.distance(before, after)
    if not near:
        return f"the weights of {between} are the same, those of epoch {epoch} are not"
    times = f"{far / near:.0f}" if far < _MANY * near else f"more than {_MANY:,}"
    return f"the weights of epoch {epoch} are {times} times as far from those of {between} as these from each other"


def _is_break(lineage: Lineage, before: Strand, after: Strand) -> bool:
    """Whether nothing goes on where a strand ends, though elsewhere something does over as many epochs.

    Where checkpoints are few and the weights decay, neighbours may have nothing in common in any run. Those that are
    compared need not be neighbours: an epoch may be missing at the break alone. What follows may be too short to tell.
    """
    last, first = before.members[-1], after.members[0]
    gap = lineage.epochs[first] - lineage.epochs[last]
    if not lineage.is_new(last, first):
        return False
    earlier, later = ([lineage.are_related(*pair) for pair in _over(lineage, side, gap)] for side in (before, after))
    return any(earlier) and (any(later) or not later)


def _begins_apart(lineage: Lineage, strands: Sequence[Strand]) -> bool:
    """Whether nothing of the first checkpoint after training began is in the second, though all others are steady.

    Of one before training nothing is said: what a training begins with may be loaded after it was saved.
    """
    if len(strands) < 2 or len(strands[0].members) > 1 or lineage.epochs[0] < 0:
        return False
    correlations = [lineage.correlation(a, b) for a, b in strands[1].pairs]
    return len(correlations) > 1 and min(correlations) > STEADY and lineage.is_new(0, strands[1].members[0])


def _first(history: History, lineage: Lineage, rest: Strand) -> Doubt:
    here, usual = (
        lineage.correlation(0, rest.members[0]),
        np.median([lineage.correlation(*pair) for pair in rest.pairs]),
    )
    return Doubt(
        "run",
        f"epoch {lineage.epochs[0]}",
        f"{_files(history, lineage.rows[[0]])} is not of this run: its weights correlate with those of epoch "
        f"{lineage.epochs[rest.members[0]]} by {here:.2f}, those of other neighbours by {usual:.2f}",
        PUT_RIGHT,
        0.8,
    )


def _over(lineage: Lineage, strand: Strand, gap: int) -> Iterator[tuple[int, int]]:
    """Each member of a strand with the first that is at least so many epochs later."""
    epochs = lineage.epochs[list(strand.members)]
    for row, place in zip(strand.members, np.searchsorted(epochs, epochs + gap), strict=True):
        if place < len(epochs):
            yield row, strand.members[place]


def _break(history: History, lineage: Lineage, before: Strand, after: Strand) -> Doubt:
    last, first = before.members[-1], after.members[0]
    here = lineage.correlation(last, first)
    usual = np.median([lineage.correlation(a, b) for strand in (before, after) for a, b in strand.pairs])
    begins = "this is" if first == len(lineage) - 1 else "from here on this is"
    return Doubt(
        "run",
        f"epoch {lineage.epochs[first]}",
        f"{begins} another run, or one begun anew ({_files(history, lineage.rows[[first]])}): its weights correlate "
        f"with those of epoch {lineage.epochs[last]} by {here:.2f}, those of other neighbours by {usual:.2f}",
        ONE_RUN,
        0.9,
    )


def _epochs(history: History, rows: Iterable[int]) -> str:
    numbers = [str(history.checkpoints[row].epoch) for row in rows]
    listed = ", ".join(numbers[:_LISTED]) + (f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else "")
    return f"{'epoch' if len(numbers) == 1 else 'epochs'} {listed}"


def _files(history: History, rows: Iterable[int]) -> str:
    paths = [PurePath(checkpoint.path) for checkpoint in history.checkpoints]
    parts = 1 if len({path.name for path in paths}) == len(paths) else 2
    names = [printable("/".join(paths[row].parts[-parts:])) for row in rows]
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
