"""What a training really did: the rule, fixed before any threshold of the verdict was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGMA = 2.0
"""Epochs; the smoothing that the onset of overfitting is defined with."""
RISE = 0.02
"""Share of the lowest smoothed loss that the last one is above it, from which on a run counts as overfitting."""


@dataclass(frozen=True)
class Truth:
    """The outcome of a training by the loss on images that neither the training nor the probe has.

    Attributes:
        overfits: the smoothed loss ends at least `RISE` above its minimum.
        onset: the epoch of the minimum; None for a healthy run.
        rise: how far the smoothed loss ends above its minimum, as a share of it.
    """

    overfits: bool
    onset: int | None
    rise: float


def outcome(epochs: NDArray[np.int64], losses: NDArray[np.float64]) -> Truth:
    """Judge a training.

    Args:
        epochs: (E,), ascending.
        losses: (E,) mean losses on the images of the truth, in nats.
    """
    # A loop that owes nothing to the code under test.
    smoothed = []
    for epoch in epochs:
        weights = np.exp(-0.5 * ((epochs - epoch) / SIGMA) ** 2)
        smoothed.append(float((weights * losses).sum() / weights.sum()))
    lowest = int(np.argmin(smoothed))
    rise = smoothed[-1] / smoothed[lowest] - 1
    overfits = rise >= RISE
    return Truth(overfits, int(epochs[lowest]) if overfits else None, rise)
