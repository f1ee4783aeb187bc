"""Which checkpoint goes on from which, by their weights: what a run's files are strands of, one or several."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.records.distances import SKETCH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from rfav_cli.records import History

FOREIGN = 0.15
"""Correlation of a layer's weights in two checkpoints up to which they may be of different trainings."""

RELATED = 0.4
"""Correlation of a layer's weights from which two checkpoints are of one training."""

NOISE = 2.0
"""Standard errors of the correlation of unrelated weights that are added to these: few weights correlate by chance."""

KEPT = 0.3
"""Share of the weights before that is left in those after, up to which they may be of different trainings.

An epoch that throws the weights far, at a high learning rate, adds to them: their direction is lost, they are not.
Measured in 60 trainings with learning rates from 0.001 to 1: 0.4 and more from one epoch to the next, also where the
correlation is 0.03.
"""

NEARER = 1 / 3
"""A checkpoint goes on from an earlier one, not from the one before it, if it is so much nearer to it.

Measured in the same trainings: 0.75 and more, each second, fifth and tenth epoch, too.
"""

STILL = 1e-4
"""Relative distance up to which nothing is said to be near or far: rounding moves weights, too."""

BACK = 8
"""Checkpoints before one that it may go on from, beside the last of each strand."""


class Lineage:
    """The weights of checkpoints, compared.

    Args:
        history: of which the epochs that have finite sketches are taken.
        copies: indices of those that hold the weights of an earlier one; they are left out.

    Attributes:
        rows: (R,) their indices in the history; all that follows is in terms of these R.
        epochs: (R,).
    """

    def __init__(self, history: History, copies: Collection[int] = ()) -> None:
        sketches = history.sketches
        largest = np.finfo(np.float32).max  # a sketch is of float32; lengths of larger numbers are none
        usable = (np.abs(sketches) <= largest).all((1, 2)) & ~np.isin(np.arange(len(sketches)), list(copies))
        self.rows = np.flatnonzero(usable) if sketches.size else np.zeros(0, np.int64)
        self.epochs = history.epochs[self.rows]
        self._sketches = sketches[self.rows]
        self._lengths = np.linalg.norm(self._sketches, axis=2)
        self._distances: dict[tuple[int, int], float] = {}
        weights = [math.prod(layer.weight_shape) for layer in history.run.layers]
        self._noise = NOISE / np.sqrt(np.clip(weights, 1, SKETCH))

    def __len__(self) -> int:
        return len(self.rows)

    def distance(self, one: int, other: int) -> float:
        """Length of the difference of the weights."""
        if (one, other) not in self._distances:
            self._distances[one, other] = float(np.linalg.norm(self._sketches[one] - self._sketches[other]))
        return self._distances[one, other]

    def correlation(self, one: int, other: int) -> float:
        """Correlation of the weights in the layer where it is the highest; NaN where all are zero."""
        return max((float(value) for value in self._correlations(one, other) if np.isfinite(value)), default=math.nan)

    def are_related(self, one: int, other: int) -> bool:
        """Whether they are of one training."""
        return bool((self._correlations(one, other) >= RELATED + self._noise).any())

    def are_unlike(self, one: int, other: int) -> bool:
        """Whether their weights have no more in common than those of different trainings, in any layer."""
        correlations = np.abs(self._correlations(one, other))
        known = np.isfinite(correlations)
        return bool(known.any() and (correlations < FOREIGN + self._noise)[known].all())

    def is_new(self, before: int, after: int) -> bool:
        """Whether nothing of the earlier weights is in the later ones: not their direction, nor they themselves.

        Layers of few weights do not tell, and a sketch tells a correlation to its standard error: what may be left is
        the most that chance could hide. Where a layer has grown so much that this is a lot, none tells.
        """
        correlations = np.abs(self._correlations(before, after))
        telling = np.isfinite(correlations) & (self._noise < KEPT)
        if not telling.any() or not self.are_unlike(before, after):
            return False
        growth = self._lengths[after][telling] / self._lengths[before][telling]
        return bool(((correlations + self._noise)[telling] * growth < KEPT).all())

    def returns(self, before: int, after: int) -> bool:
        """Whether a later checkpoint goes on from an earlier one, and those between are far from both."""
        far = min(self.distance(before, before + 1), self.distance(after - 1, after))
        moved = far > STILL * float(np.linalg.norm(self._lengths[before]))
        return moved and self.distance(before, after) < NEARER * far

    def _correlations(self, one: int, other: int) -> NDArray[np.float64]:
        """Of each layer, (L,); NaN where one is zero."""
        with np.errstate(invalid="ignore", divide="ignore"):
            products = (self._sketches[one] * self._sketches[other]).sum(1)
            result: NDArray[np.float64] = products / (self._lengths[one] * self._lengths[other])
        return result


@dataclass(frozen=True)
class Strand:
    """Checkpoints that go on from one another.

    Attributes:
        members: rows of a `Lineage`, ascending.
    """

    members: tuple[int, ...]

    @property
    def span(self) -> tuple[int, int]:
        """First and last."""
        return self.members[0], self.members[-1]

    @property
    def pairs(self) -> Iterator[tuple[int, int]]:
        """Neighbours."""
        return pairwise(self.members)

    def overlaps(self, other: Strand) -> bool:
        """Whether checkpoints of one lie between those of the other."""
        return other.span[0] < self.span[1] and self.span[0] < other.span[1]

    def enclosed(self, other: Strand) -> Iterator[tuple[int, int, int]]:
        """Each checkpoint of another strand that lies between neighbours of this one, and these."""
        for before, after in self.pairs:
            for row in other.members:
                if before < row < after:
                    yield row, before, after


def find_strands(lineage: Lineage) -> list[Strand]:
    """The strands of a run's checkpoints, by their first; one for a run that is one."""
    parents = _parents(lineage)
    left = {parent for row, parent in enumerate(parents) if parent is not None and parent < row - 1}
    strands: list[list[int]] = []
    strand_of: dict[int, list[int]] = {}
    for row, parent in enumerate(parents):
        is_aside = parent is not None and parent == row - 1 and parent in left  # a later one goes on from its parent
        if parent is None or is_aside:
            strands.append([])
        strand_of[row] = strands[-1] if parent is None or is_aside else strand_of[parent]
        strand_of[row].append(row)
    return [Strand(tuple(members)) for members in strands]


def _parents(lineage: Lineage) -> list[int | None]:
    """Which checkpoint each goes on from; None where from none."""
    parents: list[int | None] = []
    tips: list[int] = []
    for row in range(len(lineage)):
        parent = _parent(lineage, row, tips) if row else None
        parents.append(parent)
        tips = [*[tip for tip in tips if tip != parent][-BACK:], row]
    return parents


def _parent(lineage: Lineage, row: int, tips: list[int]) -> int | None:
    earlier = sorted({*range(max(row - BACK, 0), row - 1), *(tip for tip in tips if tip < row - 1)})
    if lineage.are_unlike(row - 1, row):
        related = [other for other in earlier if lineage.are_related(other, row)]
        if related or lineage.is_new(row - 1, row):
            return min(related, key=lambda other: lineage.distance(other, row), default=None)
    returning = [other for other in earlier if lineage.returns(other, row)]
    return min(returning, key=lambda other: lineage.distance(other, row), default=row - 1)
