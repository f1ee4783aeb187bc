"""What tells overfitting from learning: the labels, or without them how often checkpoints disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.confidence_gap import follow_gap
from rfav_cli.diagnosis.disagreement import confident_predictions, follow_disagreement
from rfav_cli.diagnosis.labelled import follow_labelled
from rfav_cli.diagnosis.labels import SMALLEST_PROBE
from rfav_cli.diagnosis.moved import follow_moved
from rfav_cli.diagnosis.track_record import CONFIDENCE, LOSS

if TYPE_CHECKING:
    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History, Onset
    from rfav_cli.records.verdict import OverfittingKind


UNSURE = 0.5
"""The most that a probe of too few samples can say without labels."""


@dataclass(frozen=True)
class Evidence:
    """For or against overfitting.

    Attributes:
        basis: what it is, beside the entropy.
        onset: the onset of overfitting, if it overfits.
        probability: that it overfits.
        words: the figures.
        is_unclear: neither side is sure. Evidence that sees overfitting only, and sees none, is always so.
        kind: of overfitting, if it overfits; None where it is not known.
        would_decide: what would, where it is unclear.
    """

    basis: str
    onset: Onset
    probability: float
    words: str
    is_unclear: bool
    kind: OverfittingKind | None = None
    would_decide: str = ""


def find_evidence(history: History, thresholds: Thresholds) -> Evidence | None:
    """The best there is: the labels, or where there are none the predictions; None where neither will do."""
    if history.labelled:
        return _by_labels(history, thresholds)
    return _by_predictions(history, thresholds)


def missing_evidence(history: History, evidence: Evidence | None, thresholds: Thresholds) -> str:
    """Why a run of a net with class scores cannot be judged by them, or nothing.

    A net without class scores has none to miss: only its entropies are known.
    """
    outputs, last = confident_predictions(history), history.epochs[-1]
    if not history.labelled:
        ended = outputs is None or last in outputs[0] or last < 0
        return "" if ended else f"the class scores of the last epoch, {last}, are not finite or were not measured"
    if outputs is None and not np.isfinite(history.loss).any():
        return ""
    if not np.isfinite(history.loss[-1]):
        return f"the {history.loss_words} of the last epoch, {last}, is not finite, nor that of any before it"
    return "" if evidence else f"the {history.loss_words} is finite in fewer than {thresholds.fewest} epochs"


def _by_labels(history: History, thresholds: Thresholds) -> Evidence | None:
    courses = follow_labelled(history, thresholds)
    if courses is None:
        return None
    certainty = thresholds.certainty
    return Evidence(
        basis_of(history, courses.accuracies is not None),
        courses.onset(certainty),
        courses.probability,
        courses.words(thresholds),
        courses.is_unclear(certainty),
        courses.kind(certainty) if courses.probability >= certainty else None,
        "more epochs or more held-out samples would decide it",
    )


def basis_of(history: History, has_accuracy: bool = True) -> str:
    """What a verdict on a labelled run rests on: the loss and the accuracy, by their names."""
    if history.has_one_class and history.in_nats:
        return LOSS
    return f"{history.loss_words} and {history.figure_name}" if has_accuracy else history.loss_words


def _by_predictions(history: History, thresholds: Thresholds) -> Evidence | None:
    """Three signs that see overfitting only: what the surest of them sees counts."""
    outputs = confident_predictions(history)
    if outputs is None or len(outputs[0]) < thresholds.fewest:
        return None
    pairs, moved, gap = (
        follow_disagreement(*outputs, thresholds),
        follow_moved(history, thresholds),
        follow_gap(history, thresholds),
    )
    signs = [(pairs.probability, pairs.onset, pairs.words)]
    signs += [(sign.probability, sign.onset, sign.words) for sign in (moved, gap) if sign and sign.onset]
    probability, onset, _ = max(signs, key=lambda sign: sign[0])
    words = [pairs.words, *(sign.words for sign in (moved, gap) if sign)]
    if outputs[1].shape[1] < SMALLEST_PROBE:
        words.append(f"{outputs[1].shape[1]} samples are too few to tell")
        probability = min(probability, UNSURE)
    return Evidence(
        CONFIDENCE,
        onset,
        probability,
        "; ".join(words),
        probability < thresholds.certainty,
        would_decide="labels for the probe would decide it",
    )
