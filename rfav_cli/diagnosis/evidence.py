"""What tells overfitting from learning: the held-out loss, or without labels how sure the net is of its predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.overconfidence import confident_predictions, follow_predictions
from rfav_cli.diagnosis.overfitting import follow_loss, held_out_losses
from rfav_cli.diagnosis.track_record import CONFIDENCE, LOSS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.diagnosis.overfitting import LossCourse
    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History, Onset


@dataclass(frozen=True)
class Evidence:
    """For or against overfitting.

    Attributes:
        basis: what it is, beside the entropy.
        onset: the onset of overfitting, if it overfits.
        probability: that it overfits.
        words: the figures.
    """

    basis: str
    onset: Onset
    probability: float
    words: str


def find_evidence(history: History, thresholds: Thresholds) -> Evidence | None:
    """The best there is: the labels, or where there are none the predictions; None where neither will do."""
    if history.run.probe.labels is not None:
        return _by_loss(history, thresholds)
    return _by_predictions(history, thresholds)


def missing_evidence(history: History, evidence: Evidence | None, thresholds: Thresholds) -> str:
    """Why a run of a net with class scores cannot be judged by them, or nothing.

    A net without class scores has none to miss: it is judged by its entropy alone.
    """
    outputs, last = confident_predictions(history), history.epochs[-1]
    if history.run.probe.labels is None:
        ended = outputs is None or last in outputs[0] or last < 0
        return "" if ended else f"the class scores of the last epoch, {last}, are not finite or were not measured"
    if outputs is None and not np.isfinite(history.loss).any():
        return ""
    if not np.isfinite(history.loss[-1]):
        return f"the held-out loss of the last epoch, {last}, is not finite, nor that of any before it"
    return "" if evidence else f"the held-out loss is finite in fewer than {thresholds.fewest} epochs"


def _by_loss(history: History, thresholds: Thresholds) -> Evidence | None:
    losses = held_out_losses(history)
    finite = np.isfinite(losses).all(1)
    if finite.sum() < thresholds.fewest:
        return None
    epochs = history.epochs[finite]
    loss = follow_loss(epochs, losses[finite], thresholds)
    words = _words_on_loss(epochs, losses[finite].mean(1), loss, smoothed=thresholds.smoothing > 0)
    if loss.rise > 0 and loss.probability < thresholds.certainty:
        words += f"; that it rises by {thresholds.rise:.0%} is {loss.probability:.0%} sure"
    return Evidence(LOSS, loss.onset, loss.probability, words)


def _words_on_loss(
    epochs: NDArray[np.int64], measured: NDArray[np.float64], loss: LossCourse, *, smoothed: bool
) -> str:
    """The measured losses, (E,), where the smoothed one is lowest, at the end, and where they are lowest themselves."""
    onset, last, lowest = loss.onset.epoch, int(epochs[-1]), int(epochs[np.argmin(measured)])
    at_onset = float(measured[np.searchsorted(epochs, onset)])
    words = f"held-out loss {at_onset:.3f} at epoch {onset}"
    words += ", the last" if onset == last else f", {measured[-1]:.3f} at the end"
    if smoothed:
        ended = ", its lowest" if onset == last else f", its lowest, and {loss.last:.3f}"
        words += f" (smoothed {loss.lowest:.3f}{ended})"
    return words if lowest == onset else f"{words}; the lowest measured is {measured.min():.3f} at epoch {lowest}"


def _by_predictions(history: History, thresholds: Thresholds) -> Evidence | None:
    outputs = confident_predictions(history)
    if outputs is None or len(outputs[0]) < thresholds.fewest:
        return None
    course = follow_predictions(*outputs, thresholds)
    smoothed = (
        f"; smoothed, {_ratio(course.highest)}, {_ratio(course.lowest)} and {_ratio(course.last)}"
        if thresholds.smoothing
        else ""
    )
    words = (
        f"from one checkpoint to the next, the net changes {_ratio(course.measured_highest)} times as many predictions"
        f" as its own uncertainty allows at epoch {course.epoch} (limit {thresholds.overconfidence:g};"
        f" {_ratio(course.measured_lowest)} at its lowest, {_ratio(course.measured_last)} at the end{smoothed})"
    )
    return Evidence(CONFIDENCE, course.onset, course.probability, words)


def _ratio(value: float) -> str:
    """A net without uncertainty has no bounds."""
    return f"{value:.2f}" if value < 100 else "over 100"
