"""One of two classes a sample, by one score: binary cross-entropy.

A score s is that of the second class beside 0 for the first, so all that holds for classes holds here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.tasks.base import Choices, Shape, Task, UnfitLabelsError, are_flags, entropy_of, two_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Binary(Task):
    """(n,) or (n, 1) scores, and (n,) labels 0 or 1."""

    def labels(self, raw: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """(N,) int64."""
        del shape
        if raw.ndim != 1:
            raise UnfitLabelsError(f"labels of the shape {raw.shape} are not one a sample")
        if not are_flags(raw):
            raise UnfitLabelsError("labels other than 0 and 1 are no two classes")
        return raw.astype(np.int64)

    def reads(self, shape: Shape) -> bool:
        """One number."""
        return math.prod(shape) == 1

    def choices(
        self, output: Tensor, samples: int, labels: Tensor | None, *, probabilities: bool = False
    ) -> Choices | None:
        """A row of two a sample."""
        if output.shape[:1] != (samples,) or not self.reads(tuple(output.shape[1:])) or not output.is_floating_point():
            return None
        return Choices(two_classes(output.reshape(-1), probabilities=probabilities), labels)

    def has_one_score(self, shape: Shape, labels: Shape) -> bool:
        """Always."""
        del shape, labels
        return True

    def guessed(self, labels: NDArray[Any]) -> float:
        """By saying each class as often as it is there, in nats."""
        return entropy_of(np.unique(labels, return_counts=True)[1] / len(labels))

    def guessed_right(self, labels: NDArray[Any]) -> float:
        """The share of the most frequent class."""
        return float(np.unique(labels, return_counts=True)[1].max() / len(labels))


TASK = Binary(TASKS["binary"])
