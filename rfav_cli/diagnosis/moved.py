"""How often a net changes its mind where an image is moved a little, for which no labels are needed.

Two predictions for one image cannot both be right, so a net whose uncertainty is what it should be changes its mind on
at most as many images as both predictions together are unsure of (`diagnosis.disagreement` says the same of two
checkpoints). One that changes it more often is too sure. Disagreement of this kind follows the test error (Deng et
al., 2022, "On the Strong Correlation Between Model Invariance and Generalization"). The evidence has one side: a net
that is wrong alike on both images, or that was trained to bear such moves, changes its mind seldom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import above_zero
from rfav_cli.diagnosis.disagreement import CERTAIN, LATEST, onset_of_ratio, ratio_words
from rfav_cli.diagnosis.labels import predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History, Onset


UNRELATED = 0.9
"""Share of how often the predictions of two images differ that have nothing to do with each other: from there on, a
moved image is another one, as noise and texts are, and the net cannot be blamed."""


@dataclass(frozen=True)
class MovedCourse:
    """How often predictions for images that are moved two ways differ.

    Attributes:
        onset: since when the smoothed ratio rises; its interval reaches from the lowest ratio to where it passes the
            limit.
        disagreement: share of the images on which the two predictions differ, over the last checkpoints.
        allowed: the sum of the uncertainties of both, which is a share of the images, too.
        ratio: disagreement over allowed.
        probability: that it is above the limit, given the images.
        words: the figures.
    """

    onset: Onset
    disagreement: float
    allowed: float
    ratio: float
    probability: float
    words: str


def follow_moved(history: History, thresholds: Thresholds) -> MovedCourse | None:
    """Hold the disagreement about moved images against the uncertainty of the predictions.

    Args:
        history: with `moved/sample_disagreement` and `moved/sample_uncertainty`; no labels are needed.
        thresholds: moved, smoothing and fewest are used.

    Returns:
        The course; None where no moved images were measured, where a move leaves so little of an image that the
        predictions differ nearly as often as those of any two images do, or where the figures are finite in fewer
        than `fewest` trained epochs, or not in the last one.
    """
    columns = [history.columns.get(f"moved/sample_{name}") for name in ("disagreement", "uncertainty")]
    if any(column is None or 0 in column.shape for column in columns):
        return None
    differs, allowed = (np.asarray(column[:], np.float64) for column in columns if column is not None)
    if float(differs[-LATEST:].mean()) > UNRELATED * _unrelated(history):
        return None
    whole = np.isfinite(differs).all(1) & np.isfinite(allowed).all(1) & (history.epochs >= 0)
    if whole.sum() < thresholds.fewest or not whole[-1]:
        return None
    return course_of_moved(history.epochs[whole], differs[whole], allowed[whole], thresholds)


def _unrelated(history: History) -> float:
    """How often the last checkpoint predicts different classes for two images that are drawn at random."""
    predicted = predictions(history)
    if predicted is None:
        return 1.0
    shares = np.unique(predicted[-1], return_counts=True)[1] / predicted.shape[1]
    return float(1 - (shares**2).sum())


def course_of_moved(
    epochs: NDArray[np.int64], differs: NDArray[np.float64], allowed: NDArray[np.float64], thresholds: Thresholds
) -> MovedCourse:
    """The same, of figures.

    Args:
        epochs: (E,), ascending, E > 0.
        differs: (E, N), 1 where the predictions for an image differ, else 0.
        allowed: (E, N) sums of the uncertainties of both, between 0 and 2.
        thresholds: moved and smoothing are used.
    """
    ratios = differs.mean(1) / np.maximum(allowed.mean(1), CERTAIN)
    # The images are the same ones in each checkpoint, so the last checkpoints together are N figures, not 3 N.
    last_differs, last_allowed = differs[-LATEST:].mean(0), allowed[-LATEST:].mean(0)
    excess = last_differs - thresholds.moved * last_allowed
    disagreement, unsure = float(last_differs.mean()), float(last_allowed.mean())
    ratio = disagreement / max(unsure, CERTAIN)
    words = (
        f"moved a little two ways, {disagreement:.1%} of the images are predicted differently in the last epochs, and "
        f"both predictions are unsure of {unsure:.1%} together, a ratio of {ratio_words(ratio)} "
        f"(limit {thresholds.moved:g})"
    )
    return MovedCourse(
        onset=onset_of_ratio(epochs, ratios, thresholds.moved, thresholds.smoothing),
        disagreement=disagreement,
        allowed=unsure,
        ratio=ratio,
        probability=above_zero(float(excess.mean()), float(excess.std()) / math.sqrt(excess.size)),
        words=words,
    )
