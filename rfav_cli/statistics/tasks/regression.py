"""Numbers: the squared error, mean over the outputs of a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.base import widened
from rfav_cli.statistics.tasks.base import Shape, Task, UnfitLabelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Regression(Task):
    """(n, ...) numbers and labels of the same shape; axes of one apart."""

    def labels(self, raw: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """(N, ...) float64."""
        if without_ones(raw.shape[1:]) != without_ones(shape):
            raise UnfitLabelsError(f"labels of the shape {raw.shape} are not the numbers of an output {shape}")
        values: NDArray[Any] = raw.astype(np.float64)
        if raw.ndim > 1 and math.prod(raw.shape[1:]) == 1:
            return values.reshape(len(raw))
        return values

    def reads(self, shape: Shape) -> bool:
        """Any."""
        del shape
        return True

    def errors(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """(n,) squared errors, in float64."""
        if not output.is_floating_point() or output.shape[:1] != labels.shape[:1] or output.numel() != labels.numel():
            return None
        difference = widened(output).flatten(1) if output.ndim > 1 else widened(output)[:, None]
        return (difference - widened(labels).reshape(difference.shape)).square().mean(1)

    def guessed(self, labels: NDArray[Any]) -> float:
        """By the mean of the labels: their variance, mean over the outputs."""
        return float(labels.var(0).mean())


def without_ones(shape: Shape) -> Shape:
    """A shape without its axes of one."""
    return tuple(length for length in shape if length != 1)


TASK = Regression(TASKS["regression"])
