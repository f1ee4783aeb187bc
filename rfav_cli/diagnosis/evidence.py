"""What tells overfitting from learning: the held-out loss, or without labels how sure the net is of its predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.overconfidence import confident_predictions, follow_predictions
from rfav_cli.diagnosis.overfitting import follow_loss, held_out_losses
from rfav_cli.diagnosis.track_record import CONFIDENCE, LOSS

if TYPE_CHECKING:
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
        ended = outputs is None or last in outputs[0]
        return "" if ended else f"the class scores of the last epoch, {last}, are not finite: the training diverged"
    if outputs is None and not np.isfinite(history.loss).any():
        return ""
    if not np.isfinite(history.loss[-1]):
        return f"the held-out loss of the last epoch, {last}, is not finite: the training diverged"
    return "" if evidence else f"the held-out loss is finite in fewer than {thresholds.fewest} epochs"


def _by_loss(history: History, thresholds: Thresholds) -> Evidence | None:
    losses = held_out_losses(history)
    finite = np.isfinite(losses).all(1)
    if finite.sum() < thresholds.fewest:
        return None
    loss = follow_loss(history.epochs[finite], losses[finite], thresholds)
    words = f"held-out loss {loss.lowest:.3f} at epoch {loss.onset.epoch}, {loss.last:.3f} at the end (smoothed)"
    if loss.rise > 0 and loss.probability < thresholds.certainty:
        words += f"; that it rises by {thresholds.rise:.0%} is {loss.probability:.0%} sure"
    return Evidence(LOSS, loss.onset, loss.probability, words)


def _by_predictions(history: History, thresholds: Thresholds) -> Evidence | None:
    outputs = confident_predictions(history)
    if outputs is None or len(outputs[0]) < thresholds.fewest:
        return None
    course = follow_predictions(*outputs, thresholds)
    words = (
        f"from one checkpoint to the next, the net changes {_ratio(course.highest)} times as many predictions as its"
        f" own uncertainty allows at epoch {course.epoch} (limit {thresholds.overconfidence:g};"
        f" {_ratio(course.lowest)} at its lowest, {_ratio(course.last)} at the end)"
    )
    return Evidence(CONFIDENCE, course.onset, course.probability, words)


def _ratio(value: float) -> str:
    """A net without uncertainty has no bounds."""
    return f"{value:.2f}" if value < 100 else "over 100"
