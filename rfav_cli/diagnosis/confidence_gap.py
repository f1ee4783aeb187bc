"""How much surer a net is of what it was trained on than of what it was not, for which no labels are needed.

A net that learns what holds for all samples is as sure of new ones as of those that it was trained on; one that
memorises is surer of the latter (Salem et al., 2019, "ML-Leaks", tell members of a training set so). The evidence has
one side: a large gap says that the net memorises, a small one says nothing. A net that is wrong and sure of everything
has none either, and one that was trained with augmentation or label smoothing has a small one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import Smoothing, above_zero
from rfav_cli.records import Onset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History

BEGUN = 0.5
"""Share of the limit that the gap has reached at the onset."""


@dataclass(frozen=True, eq=False)
class GapCourse:
    """What became of the gap: the mean confidence on training samples, less that on held-out ones.

    Attributes:
        epochs: (E,), the trained epochs in which both are finite, ascending.
        measured: (E,) gaps, between -1 and 1.
        smoothed: (E,), the same smoothed along the epochs.
        error: (E,) standard errors of the smoothed gap, from the samples of both probes and the noise along the epochs.
        trained, held_out: mean confidence in the last epoch, as measured.
        onset: the last epoch in which the smoothed gap was below a half of the limit, with an interval from where it
            was below zero to where it was below the limit; None where it does not end above the limit.
        probability: that the gap ends above the limit.
        words: the figures.
    """

    epochs: NDArray[np.int64]
    measured: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    error: NDArray[np.float64]
    trained: float
    held_out: float
    onset: Onset | None
    probability: float
    words: str


def follow_gap(history: History, thresholds: Thresholds) -> GapCourse | None:
    """Follow the gap in confidence along the epochs, and say how sure it is that the net memorises.

    It is one-sided evidence: a probability near 1 speaks for overfitting, one near 0 speaks against nothing.

    Args:
        history: with `train/sample_confidence` and `probe/sample_confidence`; no labels are needed.
        thresholds: smoothing, gap and fewest are used.

    Returns:
        The course; None where no training samples were measured, or both confidences are finite in fewer than
        `fewest` trained epochs, or not in the last one.
    """
    columns = [history.columns.get(name) for name in ("train/sample_confidence", "probe/sample_confidence")]
    if any(column is None or 0 in column.shape for column in columns):
        return None
    trained, held_out = (np.asarray(column[:], np.float64) for column in columns if column is not None)
    finite = np.isfinite(trained).all(1) & np.isfinite(held_out).all(1) & (history.epochs >= 0)
    if finite.sum() < thresholds.fewest or not finite[-1]:
        return None
    return course_of_gap(history.epochs[finite], trained[finite], held_out[finite], thresholds)


def course_of_gap(
    epochs: NDArray[np.int64],
    trained: NDArray[np.float64],
    held_out: NDArray[np.float64],
    thresholds: Thresholds,
) -> GapCourse:
    """The same, of figures.

    Args:
        epochs: (E,), ascending, E > 0.
        trained: (E, M) confidences of training samples, finite.
        held_out: (E, N) of held-out ones.
        thresholds: smoothing and gap are used.
    """
    smoothing = Smoothing.over(epochs, thresholds.smoothing)
    measured = trained.mean(1) - held_out.mean(1)
    smoothed = smoothing.matrix @ measured
    of_samples = [(smoothing.matrix @ values).var(1) / values.shape[1] for values in (trained, held_out)]
    of_epochs = smoothing.noise(measured) ** 2 * smoothing.matrix.squares
    error = np.sqrt(of_samples[0] + of_samples[1] + of_epochs)
    onset = _onset(epochs, smoothed, thresholds.gap)
    course = GapCourse(
        epochs=epochs,
        measured=measured,
        smoothed=smoothed,
        error=error,
        trained=float(trained[-1].mean()),
        held_out=float(held_out[-1].mean()),
        onset=onset,
        probability=above_zero(float(smoothed[-1]) - thresholds.gap, float(error[-1])),
        words="",
    )
    return replace(course, words=_words(course, thresholds))


def _onset(epochs: NDArray[np.int64], smoothed: NDArray[np.float64], limit: float) -> Onset | None:
    """Where the gap begins that ends above the limit; its first epoch where it is there from the beginning."""
    if smoothed[-1] <= limit:
        return None
    below = (np.flatnonzero(smoothed <= level) for level in (0.0, BEGUN * limit, limit))
    low, epoch, high = (int(epochs[rows[-1]]) if rows.size else int(epochs[0]) for rows in below)
    return Onset(epoch, low, high, at_or_before=epoch == int(epochs[0]))


def _words(course: GapCourse, thresholds: Thresholds) -> str:
    """The confidences at the end, the gap with its error, and the limit."""
    last = f"{course.smoothed[-1]:+.3f} ± {course.error[-1]:.3f}"
    words = (
        f"the net's mean confidence at epoch {course.epochs[-1]} is {course.trained:.3f} on training samples and "
        f"{course.held_out:.3f} on held-out ones (difference, smoothed, {last}; limit {thresholds.gap:g})"
    )
    return words if course.onset else f"{words}, which says nothing either way"
