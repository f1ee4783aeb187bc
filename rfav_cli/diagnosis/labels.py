"""Whether the probe's labels stand in the order of the net's outputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records import History

CHANCE_ERRORS = 4.0
"""Standard errors of the accuracy of guessing that an accuracy must be above chance to be knowledge (p < 1e-4)."""


def doubt_about_labels(history: History) -> str:
    """Say so when a net guesses in every epoch by these labels, but knows its classes by another order of them.

    The other order is found on one half of the samples and judged on the other, so that it is not merely fitted.

    Returns:
        What is probably wrong, or nothing.
    """
    labels, rows = history.run.probe.labels, predictions(history)
    if labels is None or rows is None or not len(rows):
        return ""
    classes = int(max(labels.max(), rows.max())) + 1
    # One answer for all is right for the most frequent class, and needs no knowledge of any.
    chance = float(np.bincount(labels).max() / len(labels))
    spread = math.sqrt(chance * (1 - chance) / len(labels))
    accuracies = (rows == labels).mean(1)
    if classes < 2 or accuracies.max() > chance + CHANCE_ERRORS * spread:
        return ""
    best = max(_accuracy_by_another_order(labels, row, classes) for row in rows)
    if best <= chance + CHANCE_ERRORS * spread * math.sqrt(2):
        return ""
    return (
        f"the accuracy is at chance or below in every epoch ({accuracies.max():.3f} at best), but {best:.3f} with the "
        "classes in another order: the class order (--classes) or the normalisation (--mean, --std) is probably wrong"
    )


def predictions(history: History) -> NDArray[np.int64] | None:
    """(E, N) class of the highest score of each sample, -1 where an epoch has none; None where the store has none."""
    column = history.columns.get("probe/sample_prediction")
    return None if column is None else np.nan_to_num(np.asarray(column[:], np.float64), nan=-1).astype(np.int64)


def _accuracy_by_another_order(labels: NDArray[Any], told: NDArray[Any], classes: int) -> float:
    """Accuracy on every second sample of each class when classes are matched greedily by the other samples."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    by_class = np.argsort(labels, kind="stable")
    by_class = by_class[told[by_class] >= 0]
    fitted, judged = by_class[::2], by_class[1::2]
    np.add.at(counts, (labels[fitted], told[fitted]), 1)
    order = np.full(classes, -1)
    for _ in range(classes):
        label, output = np.unravel_index(counts.argmax(), counts.shape)
        if counts[label, output] <= 0:
            break
        order[label] = output
        counts[label, :] = counts[:, output] = -1
    return float((order[labels[judged]] == told[judged]).sum() / max(1, len(judged)))
