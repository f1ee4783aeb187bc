"""Whether a training diverged: since when its figures are not finite, and in which layer that begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.records import Onset
from rfav_cli.text import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records import History

BEYOND = 1000.0
"""Nats of a held-out loss from which on it has no bounds any more; of numbers, multiples of the labels' variance.

A probability that float32 tells from 0 costs 104 nats at most, so a mean of ten times that is no prediction that is
wrong, but scores that have left all bounds. Only a loss that was below before has diverged."""


@dataclass(frozen=True)
class Divergence:
    """A training that diverged.

    Attributes:
        onset: the first epoch from which on nothing that was measured is sound.
        basis: what is not: "held-out loss", "class scores" or "entropy".
        layer: the first layer, in forward order, whose values are not finite in that epoch; empty where all are.
        last_sound: the last epoch before; None where there is none.
        words: all of this, with the figures.
    """

    onset: Onset
    basis: str
    layer: str
    last_sound: int | None
    words: str


def find_divergence(history: History) -> Divergence | None:
    """Find since when the figures of a run are not finite up to its last epoch; None where the last ones are.

    Figures that were never finite, not even before the training, tell of no training that diverged.
    """
    for basis, is_broken in _signs(history):
        if not len(is_broken) or not is_broken[-1]:
            continue
        first = _begin(is_broken)
        if first == 0 and history.epochs[0] < 0:
            continue
        return _divergence(history, basis, first)
    return None


def is_sound(history: History) -> NDArray[np.bool_]:
    """(E,) whether an epoch's loss, class scores and entropies are all finite, as far as they were measured."""
    sound = np.ones(len(history), bool)
    for _, is_broken in _signs(history):
        sound &= ~is_broken
    return sound


def _signs(history: History) -> list[tuple[str, NDArray[np.bool_]]]:
    """What is measured that can be other than finite, with (E,) whether it is; the surest first."""
    signs = [("held-out loss", _loss(history)), ("class scores", _scores(history)), ("entropy", _entropies(history))]
    return [(basis, broken) for basis, broken in signs if broken is not None]


def _loss(history: History) -> NDArray[np.bool_] | None:
    """None where no labels are known, or no net's output is a row of class scores."""
    loss, scores = history.loss, _scores(history)
    measured = np.isfinite(loss).any() or np.isinf(loss).any() or scores is not None
    if not history.labelled or not measured:
        return None
    bounded = np.abs(np.nan_to_num(loss, nan=np.inf)) < _most(history)
    return np.asarray(~bounded if bounded.any() else ~np.isfinite(loss))


def _most(history: History) -> float:
    """The most that a loss is that has bounds; infinite where none are known."""
    if history.in_nats:
        return BEYOND
    guessed = history.run.probe.guessed
    return BEYOND * guessed if np.isfinite(guessed) and guessed > 0 else np.inf


def _scores(history: History) -> NDArray[np.bool_] | None:
    """Epochs in which the class scores of a sample are not finite; an epoch that was measured without them is none."""
    names = ("probe/sample_prediction", "probe/sample_confidence")
    columns = [history.columns.get(name) for name in names]
    if any(column is None or 0 in column.shape for column in columns):
        return None
    predictions, confidences = (np.asarray(column[:], np.float64) for column in columns if column is not None)
    return np.asarray(((predictions < 0) | (np.isnan(confidences) & ~np.isnan(predictions))).any(1))


def _entropies(history: History) -> NDArray[np.bool_] | None:
    """Epochs in which a layer has no finite entropy that has one in others, or none of all has."""
    judged = [index for index, layer in enumerate(history.run.layers) if layer.channels > 1]
    if "entropy/mean" not in history.columns or not judged:
        return None
    finite = np.isfinite(history.entropy[:, judged])
    return np.asarray((~finite & (finite.any(0) | ~finite.any())).any(1))


def _begin(is_broken: NDArray[np.bool_]) -> int:
    """The index from which on all are."""
    sound = np.flatnonzero(~is_broken)
    return int(sound[-1]) + 1 if sound.size else 0


def _divergence(history: History, basis: str, first: int) -> Divergence:
    epoch = int(history.epochs[first])
    layer = _first_layer(history, first)
    last_sound = np.flatnonzero(is_sound(history)[:first])
    before = int(history.epochs[last_sound[-1]]) if last_sound.size else None
    what = _loss_words(history, first) if basis == "held-out loss" else "the class scores are not finite"
    if basis == "entropy":
        what = f"the entropy is not finite in {_not_finite(history)}"
    since = f"from epoch {epoch} to the last, {history.epochs[-1]}"
    if first == len(history) - 1:
        since = f"at epoch {epoch}, the last"
    if first == 0:
        since = "in every epoch that was measured"
    where = f"; the first layer whose values are not finite is {layer}" if layer else ""
    if not layer and basis != "entropy" and history.run.layers:
        where = _layers_words(history, first)
    return Divergence(Onset(epoch, epoch, epoch), basis, layer, before, f"{what} {since}{where}")


def _loss_words(history: History, first: int) -> str:
    last, lasting = history.loss[-1], history.loss[first:]
    if np.isfinite(lasting).all():
        return f"the {history.loss_words} is finite, but beyond {_most_words(history)} ({last:.3g} at the end)"
    if np.isfinite(lasting).any():
        return f"the {history.loss_words} is beyond {_most_words(history)} or not finite"
    if "probe/sample_loss" not in history.columns:
        return f"the {history.loss_words} is not finite"
    samples = np.asarray(history.columns["probe/sample_loss"][-1], np.float64)
    gone = int((~np.isfinite(samples)).sum())
    some = f" (in {gone:,} of {count(samples.size, 'sample')})" if 0 < gone < samples.size else ""
    return f"the {history.loss_words} is not finite{some}"


def _most_words(history: History) -> str:
    return f"{BEYOND:,.0f} nat" if history.in_nats else f"{BEYOND:,.0f} times the variance of the labels"


def _not_finite(history: History) -> str:
    broken = [
        layer.name
        for layer, value in zip(history.run.layers, history.entropy[-1], strict=True)
        if layer.channels > 1 and not np.isfinite(value)
    ]
    return ", ".join(broken)


def _layers_words(history: History, first: int) -> str:
    """What became of the layers where none is the first in the epoch that the divergence begins in."""
    for row in range(first + 1, len(history)):
        layer = _first_layer(history, row)
        if layer:
            return f"; the first layer whose values are not finite is {layer}, from epoch {history.epochs[row]} on"
    if _nonfinite(history)[first:].any():
        return ""  # as many as before: that is not where it begins
    return "; the values of all measured layers are finite"


def _nonfinite(history: History) -> NDArray[np.float64]:
    """(E, L) values that were skipped, since they are not finite."""
    counts = history.columns.get("nonfinite")
    return np.zeros(history.entropy.shape) if counts is None else np.nan_to_num(np.asarray(counts[:], np.float64))


def _first_layer(history: History, first: int) -> str:
    """The first layer with values that are not finite in an epoch, more than in any before it."""
    entropy, skipped = history.entropy, _nonfinite(history)
    for index, layer in enumerate(history.run.layers):
        known = layer.channels > 1 and "entropy/mean" in history.columns
        gone = known and not np.isfinite(entropy[first, index])
        if gone or skipped[first, index] > skipped[:first, index].max(initial=0):
            return layer.name
    return ""
