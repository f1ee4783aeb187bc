"""Whether a net predicts better than chance: one that never does has learnt nothing, one that stopped is broken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rfav_cli.diagnosis.labels import CHANCE_ERRORS, LEARNT, SMALLEST_PROBE, guessing, predictions
from rfav_cli.records import Onset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records import History

MOST_FREQUENT = 0.9
"""Share of the most frequent class above which a labelled probe can't tell knowledge from saying that class always."""
BEFORE = 3
"""Checkpoints before a break that must have something in common: without, it may be where the learning begins."""
FEWER = 0.8
"""Share of the entropy of the predicted classes at the end below which those before are of a net that begins."""
SAME = 0.999
"""Share of equal predictions from which on two are related, whatever chance gives: both say one class of nearly all."""
SAME_NUMBER = 0.01
"""Deviation of the predictions over the samples, as a share of the labels', below which they are the same one."""


@dataclass(frozen=True)
class Chance:
    """Predictions that are no better than chance up to the last epoch.

    Attributes:
        state: "not learning" where they are so in every trained epoch, "broken" where they became so.
        onset: the first epoch from which on they are.
        words: the figures.
    """

    state: Literal["not learning", "broken"]
    onset: Onset
    words: str


def find_chance(history: History) -> Chance | None:
    """Find since when a run's predictions are at chance up to its last epoch; None where the last ones are not.

    The checkpoint from before training says nothing: it has learnt nothing yet.
    """
    at_chance, words = _by_labels(history), _labelled_words
    if at_chance is None:
        at_chance, words = _by_predictions(history), _words
    if at_chance is None and history.labelled and not history.has_one_class:
        at_chance, words = _by_guess(history), _guessed_words
    if at_chance is None:
        return None
    trained = history.epochs >= 0
    epochs, found = history.epochs[trained], at_chance[trained]
    if not found.size or not found[-1]:
        return None
    before = np.flatnonzero(~found)
    first = int(before[-1]) + 1 if before.size else 0
    onset = Onset(int(epochs[first]), int(epochs[first]), int(epochs[first]), at_or_before=first == 0)
    state: Literal["not learning", "broken"] = "broken" if before.size else "not learning"
    return Chance(state, onset, words(history, np.flatnonzero(trained), first))


def _by_guess(history: History) -> NDArray[np.bool_] | None:
    """The same as `_by_labels`, for tasks other than of one class, by what the store has of guessing.

    A net that once knew something is at chance again only where its prediction is the same for all samples, as far as
    that is known: its loss may be that of one that is too sure.
    """
    probe, size = history.run.probe, history.run.probe.size
    if not np.isfinite(probe.guessed) or size < SMALLEST_PROBE or not np.isfinite(history.loss).any():
        return None
    with np.errstate(invalid="ignore"):
        knows = history.loss < LEARNT * probe.guessed
        if np.isfinite(probe.guessed_right):
            spread = math.sqrt(probe.guessed_right * (1 - probe.guessed_right) / size)
            knows |= history.accuracy > probe.guessed_right + CHANCE_ERRORS * spread
        at_chance = np.asarray(~knows & np.isfinite(history.loss))
        if knows[history.epochs >= 0].any():
            spreads = history.prediction_spread
            at_chance &= spreads < SAME_NUMBER * math.sqrt(probe.guessed)
    return at_chance


def _by_labels(history: History) -> NDArray[np.bool_] | None:
    """(E,) whether neither the loss nor the accuracy of an epoch is better than guessing; None where it can't be told.

    Guessing is to say each class as often as it is there, and for the accuracy always the most frequent. An accuracy
    is better when chance gives it in fewer than one of ten thousand probes.
    """
    labels, predicted = history.run.probe.labels, predictions(history)
    if labels is None or predicted is None or len(labels) < SMALLEST_PROBE or not np.isfinite(history.loss).any():
        return None
    most, guessed = guessing(labels)
    if most > MOST_FREQUENT:
        return None
    lucky = most + CHANCE_ERRORS * math.sqrt(most * (1 - most) / len(labels))
    with np.errstate(invalid="ignore"):
        knows = history.accuracy > lucky
        if history.in_nats:
            knows |= history.loss < LEARNT * guessed
    known = np.isfinite(history.loss) & (predicted >= 0).all(1)
    return np.asarray(~knows & known)


def _by_predictions(history: History) -> NDArray[np.bool_] | None:
    """(E,) whether an epoch's predictions are at chance; None where it can't be told.

    They are where they are the same for all samples, and from an epoch on from which they have no more in common with
    those before than chance gives, though those had with each other: what was learnt is gone.
    """
    predicted = predictions(history)
    if predicted is None or predicted.shape[1] < SMALLEST_PROBE or history.run.probe.labels is not None:
        return None
    at_chance = (predicted == predicted[:, :1]).all(1) & (predicted[:, 0] >= 0)
    trained = np.flatnonzero((history.epochs >= 0) & (predicted >= 0).all(1))
    lost = _unrelated_from(predicted[trained])
    if lost is not None:
        at_chance[trained[lost:]] = True
    return np.asarray(at_chance)


def _unrelated_from(predicted: NDArray[np.int64]) -> int | None:
    """The first of (E, N) rows from which on all have nothing in common with those before; None where there is none.

    A net that begins by saying a class or two of all samples, and then learns, has nothing in common with that, either:
    what breaks says hardly more classes than before.
    """
    for row in range(BEFORE, len(predicted)):
        before = range(row - BEFORE, row)
        if not all(_are_related(predicted[one], predicted[row - 1]) for one in before):
            continue
        if _spread(predicted[row - 1]) < FEWER * _spread(predicted[-1]):
            continue
        if not any(_are_related(predicted[row - 1], later) for later in predicted[row:]):
            return row
    return None


def _spread(predicted: NDArray[np.int64]) -> float:
    """The entropy of how often each class is predicted, in nats."""
    shares = np.bincount(predicted) / len(predicted)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def _are_related(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Whether two predictions (N,) agree on more samples than chance gives, by how often each says each class."""
    classes = int(max(one.max(), other.max())) + 1
    shares = [np.bincount(each, minlength=classes) / len(each) for each in (one, other)]
    expected = float(shares[0] @ shares[1])
    spread = math.sqrt(expected * (1 - expected) / len(one))
    return bool((one == other).mean() > min(expected + CHANCE_ERRORS * spread, SAME))


def _labelled_words(history: History, trained: NDArray[np.int64], first: int) -> str:
    labels = history.run.probe.labels
    most, guessed = guessing(labels) if labels is not None else (math.nan, math.nan)
    rows = trained[first:]
    unit = " nat" if history.in_nats else ""
    guess = f"{guessed:.3g} nat and {most:.1%} by guessing" if history.in_nats else f"{most:.1%} by guessing"
    same = _by_same(history, trained, first)
    if first == 0:
        return (
            f"the predictions are no better than chance in any epoch: {history.loss_words} "
            f"{history.loss[rows].min():.3g}{unit} at its lowest, accuracy {history.accuracy[rows].max():.1%} at its "
            f"highest; {guess}{same}"
        )
    before = trained[first - 1]
    return (
        f"accuracy {history.accuracy[before]:.1%} at epoch {history.epochs[before]}, "
        f"{history.accuracy[rows[0]]:.1%} at epoch {history.epochs[rows[0]]} and no better than chance from there on "
        f"({history.loss_words} {history.loss[before]:.3g}, then {history.loss[rows[0]]:.3g}{unit}; {guess}){same}"
    )


def _guessed_words(history: History, trained: NDArray[np.int64], first: int) -> str:
    """The loss beside that of saying the same of all samples, and the figure of the task."""
    rows, guessed = trained[first:], history.run.probe.guessed
    by = "the mean of the labels" if history.task == "regression" else "guessing"
    guess = f"{guessed:.3g} by {by}"
    if first == 0:
        return (
            f"the predictions are no better than the same for all samples in any epoch: {history.loss_words} "
            f"{history.loss[rows].min():.3g} at its lowest, {guess}"
        )
    before = trained[first - 1]
    return (
        f"{history.loss_words} {history.loss[before]:.3g} at epoch {history.epochs[before]}, "
        f"{history.loss[rows[0]]:.3g} at epoch {history.epochs[rows[0]]} ({guess}), from where on the prediction "
        "is the same for all samples"
    )


def _by_same(history: History, trained: NDArray[np.int64], first: int) -> str:
    predicted = predictions(history)
    rows = trained[first:]
    if predicted is None or not (predicted[rows] == predicted[rows, :1]).all():
        return ""
    return "; the prediction is the same for all samples"


def _words(history: History, trained: NDArray[np.int64], first: int) -> str:
    epoch, predicted = history.epochs[trained[first]], predictions(history)
    rows = trained[first:]
    if predicted is not None and not (predicted[rows] == predicted[rows, :1]).all():
        return f"from epoch {epoch} to the last, the predictions have nothing in common with those before"
    since = "in every epoch" if first == 0 else f"from epoch {epoch} to the last, and was not before"
    return f"the prediction is the same for all {history.run.probe.size:,} samples {since}"
