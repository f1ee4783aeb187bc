"""Whether the probe's labels stand in the order of the net's outputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.records import Doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rfav_cli.records import History

LABELS_CERTAINTY = 0.99
"""A net that knows its classes by no order passes for one by chance in fewer than 1 in 10,000 stores."""
CHANCE_ERRORS = 4.0
"""Standard errors of the accuracy of guessing that an accuracy must be above chance to be knowledge (p < 1e-4)."""

LEARNT = 0.97
"""Share of the loss of guessing below which a held-out loss shows that something was learnt."""
SMALLEST_PROBE = 30
"""Samples from which predictions can be told from chance, and the same one for all from a coincidence."""


def label_doubts(history: History) -> Iterator[Doubt]:
    """Doubt the order of the classes when a net guesses in every epoch by these labels, but knows another order.

    The other order is found on one half of the samples and judged on the other, so that it is not merely fitted.
    """
    labels, rows = history.run.probe.labels, predictions(history)
    if labels is None or rows is None or rows.shape[1:] != labels.shape:
        return
    # One answer for all is right for the most frequent class, and needs no knowledge of any.
    chance = float(np.unique(labels, return_counts=True)[1].max() / len(labels))
    spread = math.sqrt(chance * (1 - chance) / len(labels))
    accuracies = (rows == labels).mean(1)
    if accuracies.max() > chance + CHANCE_ERRORS * spread:
        return
    best = max(_accuracy_by_another_order(labels, row) for row in rows)
    if best <= chance + CHANCE_ERRORS * spread * math.sqrt(2):
        return
    yield Doubt(
        "classes",
        "",
        f"the accuracy is at chance or below in every epoch ({accuracies.max():.3f} at best), but {best:.3f} with the "
        "classes in another order",
        "The order of the classes (--classes) or the normalisation (--mean, --std) is probably wrong.",
        LABELS_CERTAINTY,
    )


def guessing(labels: NDArray[np.int64]) -> tuple[float, float]:
    """Share of the most frequent class, and the loss in nats of saying each class as often as it is there."""
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(shares.max()), float(-(shares * np.log(shares)).sum())


def predictions(history: History) -> NDArray[np.int64] | None:
    """(E, N) class of the highest score of each sample, -1 where an epoch has none; None where there are none."""
    column = history.columns.get("probe/sample_prediction")
    if column is None or 0 in column.shape:
        return None
    return np.nan_to_num(np.asarray(column[:], np.float64), nan=-1).astype(np.int64)


def right(history: History) -> NDArray[np.float64] | None:
    """(E, N) what is predicted right of each sample; None where there is no such figure.

    It is 1 or 0 where a sample is of one class, and else the share of its tags or pixels; the mean is the accuracy. NaN
    in an epoch that was measured without.
    """
    labels, column = history.run.probe.labels, history.columns.get("probe/sample_prediction")
    if labels is not None and column is not None and column.shape[1:] == labels.shape and labels.size:
        predicted = np.asarray(column[:], np.float64)
        return np.where(np.isnan(predicted), np.nan, predicted == labels)
    column = history.columns.get("probe/sample_right")
    return None if column is None or 0 in column.shape else np.asarray(column[:], np.float64)


def _accuracy_by_another_order(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Accuracy on every second sample of each class when classes are matched greedily by the other samples."""
    by_class = np.argsort(labels, kind="stable")
    by_class = by_class[predicted[by_class] >= 0]
    fitted, judged = by_class[::2], by_class[1::2]
    if not judged.size:
        return 0.0
    pairs, counts = np.unique(np.stack([labels[fitted], predicted[fitted]], 1), axis=0, return_counts=True)
    order: dict[int, int] = {}
    taken: set[int] = set()
    for label, output in pairs[np.argsort(-counts, kind="stable")].tolist():
        if label not in order and output not in taken:
            order[label] = output
            taken.add(output)
    judged_pairs = np.stack([labels[judged], predicted[judged]], 1).tolist()
    right = sum(order.get(label) == output for label, output in judged_pairs)
    return float(right / judged.size)
