"""The onset of overfitting, by what becomes worse on the samples of a labelled probe: losses, or errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import REPLICATES, Smoothing, above_zero, counted_in_steps, smoothed
from rfav_cli.records import Onset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History

ROUNDING = 1e-9
"""Share of a loss below which two losses are the same one."""
INTERVAL = (0.05, 0.95)
"""Quantiles of the onsets of `REPLICATES` resampled probes."""


@dataclass(frozen=True)
class LossCourse:
    """What a held-out loss did, or the share of errors.

    Attributes:
        onset: the minimum of the smoothed loss, with the interval in which other samples would have put it.
        first, lowest, last: the smoothed loss in the first epoch, at its minimum and in the last.
        rise: last over lowest, less 1.
        probability: that the rise is as large as what was asked, given the samples and the noise of the training.
    """

    onset: Onset
    first: float
    lowest: float
    last: float
    rise: float
    probability: float


def held_out_losses(history: History) -> NDArray[np.float64]:
    """(E, N) of each sample, in nats; (E, 1) means of a store that has no others. NaN where there are none."""
    column = history.columns.get("probe/sample_loss")
    if column is None or 0 in column.shape:
        return history.loss[:, None]
    return np.asarray(column[:], np.float64)


def smoothed_loss(history: History, thresholds: Thresholds) -> NDArray[np.float64]:
    """(E,) held-out losses in nats, smoothed over the epochs; NaN where a loss is not finite."""
    return smoothed(history.epochs, history.loss, counted_in_steps(history, thresholds).smoothing)


def follow_loss(
    epochs: NDArray[np.int64],
    losses: NDArray[np.float64],
    smoothing: float,
    *,
    share: float = 0.0,
    margin: float = 0.0,
) -> LossCourse:
    """Find since when a loss rises, and how sure it is.

    The samples are the same ones in every epoch, so two epochs are compared sample by sample: what makes one sample
    harder than another drops out (a paired test). That the minimum is the lowest of many noisy points is
    allowed for.

    Args:
        epochs: (E,), ascending, E > 0.
        losses: (E, N) of each sample, finite: in nats, or 1 for an error and 0 for none.
        smoothing: sigma in epochs.
        share: of the lowest loss that a rise must exceed.
        margin: the same, in the unit of the losses.
    """
    over = Smoothing.over(epochs, smoothing)
    smoothed = over.matrix @ losses
    curve = smoothed.mean(1)
    lowest = int(np.argmin(curve))
    share = math.copysign(share, curve[lowest])  # of a loss below 0, a rise is towards it
    seeming, spread = over.seeming_rise(curve, over.noise(losses.mean(1)), share)
    excess = smoothed[-1] - (1 + share) * smoothed[lowest] - margin
    excess[np.abs(excess) <= ROUNDING * np.abs(smoothed[lowest])] = 0.0
    error = math.hypot(float(excess.std()) / math.sqrt(excess.size), spread)
    return LossCourse(
        onset=_onset(epochs, smoothed, lowest),
        first=float(curve[0]),
        lowest=float(curve[lowest]),
        last=float(curve[-1]),
        rise=float(curve[-1] / curve[lowest] - 1) if curve[lowest] > 0 else 0.0,
        probability=above_zero(float(excess.mean()) - seeming, error),
    )


def _onset(epochs: NDArray[np.int64], smoothed: NDArray[np.float64], lowest: int) -> Onset:
    """The minimum, and where it lies when the samples are drawn anew from themselves."""
    count = smoothed.shape[1]
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=REPLICATES)
    minima = np.sort(epochs[np.argmin(smoothed @ draws.T, axis=0)])
    low, high = (int(minima[round(share * (REPLICATES - 1))]) for share in INTERVAL)
    epoch = int(epochs[lowest])
    return Onset(epoch, min(low, epoch), max(high, epoch), at_or_before=lowest == 0)
