"""Samples that chance decides on: a split that is drawn anew by each call, augmentation in a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.records import Doubt
from rfav_cli.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rfav_cli.data.sources.base import Source

READ_TWICE = 4
"""Samples that are read again where code gives them, to see whether it draws them at random."""


def doubts_of_chance(source: Source, rows: NDArray[np.int64]) -> tuple[Doubt, ...]:
    """Doubt samples that chance decides on.

    Args:
        source: where they come from.
        rows: (N,), their numbers, of which the first few are read twice.
    """
    where, doubts = printable(source.name), []
    if source.drawn:
        remedy = "Draw with a generator that has a seed, the one of the training, or name the held-out samples."
        doubts.append(Doubt("chance", where, source.drawn, remedy, 0.9))
    if source.differs(rows[:READ_TWICE]):
        words = "the samples are not the same when they are read twice, so the figures are of samples that chance made"
        remedy = "Give them with the transform of evaluation, which has no augmentation."
        doubts.append(Doubt("chance", where, words, remedy, 1.0))
    return tuple(doubts)
