"""Overconfidence on held-out samples, for which no labels are needed.

A calibrated net that is p sure of its predictions is wrong in 1 - p of them (Guo et al., 2017, "On Calibration of
Modern Neural Networks"), and two trainings of such a net disagree as often as one of them is wrong (Jiang et al., 2022,
"Assessing Generalization of SGD via Disagreement"). Two checkpoints of one training are more alike than two trainings,
so they disagree less often. A net that changes more of its predictions from one checkpoint to the next than its own
uncertainty allows is too sure of them, and that is what the held-out loss of an overfitting net rises by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.diagnosis.curves import Smoothing, above_zero
from rfav_cli.diagnosis.labels import predictions
from rfav_cli.records import Onset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History

RISEN = 1.1
"""How far the ratio must rise from its lowest: while a net learns fast, its predictions change for good reason."""
ONSET = 0.1
"""Share of the way from the lowest ratio to the limit that is gone at the onset."""


@dataclass(frozen=True)
class PredictionCourse:
    """What became of the changes of a net's predictions, as a ratio to its uncertainty.

    Attributes:
        onset: since when the ratio rises; its interval reaches from its lowest to where it passes the limit.
        lowest, highest: the smoothed ratio before the rise and at its height.
        last: the smoothed ratio in the last epoch.
        epoch: of the highest.
        measured_lowest, measured_highest, measured_last: the ratio as it was measured, at its lowest up to that epoch,
            in that epoch and in the last.
        probability: that the highest is above the limit, given the samples.
    """

    onset: Onset
    lowest: float
    highest: float
    last: float
    epoch: int
    measured_lowest: float
    measured_highest: float
    measured_last: float
    probability: float


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


def follow_predictions(
    epochs: NDArray[np.int64],
    predicted: NDArray[np.int64],
    confidences: NDArray[np.float64],
    thresholds: Thresholds,
) -> PredictionCourse:
    """Hold the changes of a net's predictions against its uncertainty.

    A change is a rare event, and the highest of many ratios is above what they scatter about: as much is allowed for.

    Args:
        epochs: (E,), ascending, E > 1.
        predicted: (E, N) class of the highest score of each sample.
        confidences: (E, N) its probability.
        thresholds: smoothing and overconfidence are used.
    """
    smoothing = Smoothing.over(epochs[1:], thresholds.smoothing)
    changes, doubts = predicted[1:] != predicted[:-1], 1 - (confidences[1:] + confidences[:-1]) / 2
    changed, uncertainty = smoothing.matrix @ changes, smoothing.matrix @ doubts
    measured, ratio = _ratios(changes, doubts), _ratios(changed, uncertainty)
    settled = np.minimum.accumulate(ratio)
    risen = np.where(ratio >= RISEN * settled, ratio, 0.0)
    top = int(np.argmax(risen)) if risen.any() else len(ratio) - 1
    lowest = int(np.argmin(ratio[: top + 1]))
    excess = changed[top] - thresholds.overconfidence * uncertainty[top]
    error = float(excess.std()) / math.sqrt(excess.size)
    beyond = float(excess.mean()) - smoothing.seeming_height() * error
    return PredictionCourse(
        onset=_onset(epochs[1:], ratio, lowest, top, thresholds.overconfidence),
        lowest=float(ratio[lowest]),
        highest=float(ratio[top]),
        last=float(ratio[-1]),
        epoch=int(epochs[1 + top]),
        measured_lowest=float(measured[: top + 1].min()),
        measured_highest=float(measured[top]),
        measured_last=float(measured[-1]),
        probability=above_zero(beyond, error) if risen.any() else 0.0,
    )


def _ratios(changes: NDArray[Any], uncertainty: NDArray[np.float64]) -> NDArray[np.float64]:
    """(E - 1,) shares of changed predictions over the mean uncertainty, from (E - 1, N) of each."""
    return np.asarray(changes.mean(1) / np.maximum(uncertainty.mean(1), 1e-9))


def _onset(epochs: NDArray[np.int64], ratio: NDArray[np.float64], lowest: int, top: int, limit: float) -> Onset:
    """When the ratio has gone a tenth of its way to the limit; at the earliest its lowest, at the latest the limit."""
    rise = ratio[lowest : top + 1]
    begun = rise[0] + ONSET * max(limit - float(rise[0]), 0.0)
    epoch, high = (int(epochs[lowest + np.flatnonzero(rise <= max(level, rise[0]))[-1]]) for level in (begun, limit))
    return Onset(epoch, int(epochs[lowest]), max(high, epoch))
