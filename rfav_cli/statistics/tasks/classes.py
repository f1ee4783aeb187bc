"""One class of many a sample: cross-entropy of a row of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.base import are_class_scores
from rfav_cli.statistics.tasks.base import Choices, Shape, Task, UnfitLabelsError, are_flags, entropy_of, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Classes(Task):
    """(n, C) scores, and (n,) class numbers; one-hot ones (n, C) will do."""

    def labels(self, raw: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """(N,) int64."""
        if raw.ndim == 2 and raw.shape[1:] == shape and are_one_hot(raw):
            raw = raw.argmax(1)
        if raw.ndim != 1:
            raise UnfitLabelsError(f"labels of the shape {raw.shape} are no class numbers")
        if not whole(raw) or raw.min() < 0:
            raise UnfitLabelsError("labels that are no whole numbers from 0 on are no class numbers")
        return raw.astype(np.int64)

    def reads(self, shape: Shape) -> bool:
        """(C,), from two on."""
        return len(shape) == 1 and shape[0] > 1

    def choices(
        self, output: Tensor, samples: int, labels: Tensor | None, *, probabilities: bool = False
    ) -> Choices | None:
        """A row a sample; the scores tell whether they are probabilities."""
        del probabilities
        return Choices(output.float(), labels) if are_class_scores(output, samples) else None

    def guessed(self, labels: NDArray[Any]) -> float:
        """By saying each class as often as it is there, in nats."""
        return entropy_of(np.unique(labels, return_counts=True)[1] / len(labels))

    def guessed_right(self, labels: NDArray[Any]) -> float:
        """The share of the most frequent class."""
        return float(np.unique(labels, return_counts=True)[1].max() / len(labels))


def are_one_hot(raw: NDArray[Any]) -> bool:
    """Whether labels (N, C, ...) are 1 for one class each and 0 for all others."""
    return raw.ndim > 1 and are_flags(raw) and bool((raw.sum(1) == 1).all())


TASK = Classes(TASKS["classes"])
