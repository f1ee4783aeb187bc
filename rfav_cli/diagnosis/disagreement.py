"""Overconfidence on held-out samples, for which no labels are needed.

A calibrated net that is p sure of its predictions is wrong in 1 - p of them (Guo et al., 2017, "On Calibration of
Modern Neural Networks"). Two checkpoints that predict different classes for a sample cannot both be right. So two
calibrated checkpoints disagree on at most as many samples as both together are wrong on: on the sum of their
uncertainties. Where they disagree more often, one of them at least is too sure, and that is what the held-out loss of
an overfitting net rises by. It is evidence on one side only: checkpoints that are wrong alike do not disagree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import Smoothing, above_zero
from rfav_cli.diagnosis.labels import predictions
from rfav_cli.records import Onset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History

LATEST = 3
"""The last checkpoints, which are held against those before them."""
EARLY = 0.2
"""Share of the checkpoints, the first ones, that none is held against: they may be too sure where the last are not."""
FIRST = 4
"""Checkpoints that are left out at least, but no more than half of them: of a short run a fifth is too few."""
TENTH = 0.9
"""Share of the pairs that disagree less, for their uncertainty, than the one that is judged: the highest may stray."""
ONSET = 0.1
"""Share of the way from the lowest ratio to the limit that is gone at the onset."""
MOST = 200
"""Checkpoints, evenly spaced, that the onset is sought among: all pairs of them are compared."""
CERTAIN = 1e-9
"""Uncertainty below which there is none to divide by."""


@dataclass(frozen=True)
class DisagreementCourse:
    """How often checkpoints disagree, as a ratio to the sum of their uncertainties.

    Attributes:
        onset: since when the ratio of a checkpoint and those before it rises; its interval reaches from the lowest
            ratio to where it passes the limit.
        first, second: the epochs of the pair that is judged: one in ten disagree more for their uncertainty.
        disagreement: share of the samples on which these two predict different classes.
        allowed: the sum of their uncertainties, which is a share of the samples, too.
        ratio: disagreement over allowed.
        probability: that it is above the limit, given the samples.
        words: the figures.
    """

    onset: Onset
    first: int
    second: int
    disagreement: float
    allowed: float
    ratio: float
    probability: float
    words: str


def confident_predictions(history: History) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] | None:
    """Epochs (E,), predictions (E, N) and their confidence (E, N), of the trained checkpoints that have all of them.

    None where the store has no outputs.
    """
    predicted, column = predictions(history), history.columns.get("probe/sample_confidence")
    if predicted is None or column is None:
        return None
    confidences = np.asarray(column[:], np.float64)
    whole = np.isfinite(confidences).all(1) & (predicted >= 0).all(1) & (history.epochs >= 0)
    return history.epochs[whole], predicted[whole], confidences[whole]


def follow_disagreement(
    epochs: NDArray[np.int64],
    predicted: NDArray[np.int64],
    confidences: NDArray[np.float64],
    thresholds: Thresholds,
) -> DisagreementCourse:
    """Hold the disagreement of checkpoints against their uncertainty.

    Args:
        epochs: (E,), ascending, E > 1.
        predicted: (E, N) class of the highest score of each sample.
        confidences: (E, N) its probability.
        thresholds: disagreement and smoothing are used.
    """
    uncertainty = 1 - confidences
    first, second = _pair(predicted, uncertainty)
    differs, allowed = predicted[first] != predicted[second], uncertainty[first] + uncertainty[second]
    excess = differs - thresholds.disagreement * allowed
    error = float(excess.std()) / math.sqrt(excess.size)
    disagreement, unsure = float(differs.mean()), float(allowed.mean())
    ratio = disagreement / max(unsure, CERTAIN)
    words = (
        f"epochs {epochs[first]} and {epochs[second]} disagree on {disagreement:.1%} of the samples and are unsure of "
        f"{unsure:.1%} together, a ratio of {ratio_words(ratio)} (limit {thresholds.disagreement:g})"
    )
    return DisagreementCourse(
        onset=_onset(epochs, predicted, uncertainty, thresholds),
        first=int(epochs[first]),
        second=int(epochs[second]),
        disagreement=disagreement,
        allowed=unsure,
        ratio=ratio,
        probability=above_zero(float(excess.mean()), error),
        words=words,
    )


def _pair(predicted: NDArray[np.int64], uncertainty: NDArray[np.float64]) -> tuple[int, int]:
    """Rows of the pair that is judged: one of the last, and one before it."""
    count = len(predicted)
    early = left_out(count)
    pairs = [
        (float(ratio), early + first, second)
        for second in range(max(count - LATEST, 1), count)
        for first, ratio in enumerate(_ratios(predicted, uncertainty, second)[early:])
    ]
    _, first, second = sorted(pairs)[int(TENTH * (len(pairs) - 1))]
    return first, second


def left_out(count: int) -> int:
    """How many of so many checkpoints, the first ones, none is held against."""
    return min(max(int(EARLY * count), min(FIRST, count // 2)), count - 2)


def _ratios(predicted: NDArray[np.int64], uncertainty: NDArray[np.float64], row: int) -> NDArray[np.float64]:
    """(row,) of a checkpoint and each one before it."""
    differs = (predicted[:row] != predicted[row]).mean(1)
    allowed = uncertainty[:row].mean(1) + uncertainty[row].mean()
    return np.asarray(differs / np.maximum(allowed, CERTAIN))


def _onset(
    epochs: NDArray[np.int64], predicted: NDArray[np.int64], uncertainty: NDArray[np.float64], thresholds: Thresholds
) -> Onset:
    """When the smoothed ratio has gone a tenth of its way to the limit, between its lowest and where it passes that."""
    rows = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), MOST)).round().astype(np.int64))
    epochs, predicted, uncertainty = epochs[rows], predicted[rows], uncertainty[rows]
    highest = np.array([np.quantile(_ratios(predicted, uncertainty, row), TENTH) for row in range(1, len(epochs))])
    return onset_of_ratio(epochs[1:], highest, thresholds.disagreement, thresholds.smoothing)


def onset_of_ratio(epochs: NDArray[np.int64], ratios: NDArray[np.float64], limit: float, sigma: float) -> Onset:
    """When a smoothed ratio has gone a tenth of its way to a limit, between its lowest and where it passes that.

    Args:
        epochs: (E,), ascending.
        ratios: (E,), finite.
        limit: above which the ratio tells of overfitting.
        sigma: of the Gaussian, in epochs.
    """
    ratio = Smoothing.over(epochs, sigma).matrix @ ratios
    top = int(np.argmax(ratio))
    lowest = int(np.argmin(ratio[: top + 1]))
    rise = ratio[lowest : top + 1]
    begun = rise[0] + ONSET * max(limit - float(rise[0]), 0.0)
    places = [lowest + int(np.flatnonzero(rise <= max(level, rise[0]))[-1]) for level in (begun, limit)]
    epoch, high = (int(epochs[place]) for place in places)
    return Onset(epoch, int(epochs[lowest]), max(high, epoch), at_or_before=places[0] == 0)


def ratio_words(value: float) -> str:
    """A net without uncertainty has no bounds."""
    return f"{value:.2f}" if value < 100 else "over 100"
