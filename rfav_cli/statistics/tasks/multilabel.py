"""Any of several tags a sample, a score each: binary cross-entropy, mean over the tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.tasks.base import Choices, Shape, Task, UnfitLabelsError, are_flags, entropy_of, two_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Multilabel(Task):
    """(n, K) scores and labels 0 or 1; tags of each position, (n, K, ...), likewise."""

    def labels(self, raw: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """(N, K, ...) int64, in the shape of the output."""
        if raw.ndim < 2 or raw.shape[1:] != shape:
            raise UnfitLabelsError(f"labels of the shape {raw.shape} are not one for each of the outputs {shape}")
        if not are_flags(raw):
            raise UnfitLabelsError("labels other than 0 and 1 are no tags")
        return raw.astype(np.int64)

    def reads(self, shape: Shape) -> bool:
        """At least one number."""
        return len(shape) > 0

    def choices(
        self, output: Tensor, samples: int, labels: Tensor | None, *, probabilities: bool = False
    ) -> Choices | None:
        """A row of two for each tag of each sample."""
        fits = output.shape[:1] == (samples,) and output.ndim > 1 and output.is_floating_point()
        if not fits or (labels is not None and labels.shape != output.shape):
            return None
        each = torch.arange(samples, device=output.device).repeat_interleave(output[0].numel())
        right = None if labels is None else labels.flatten()
        return Choices(two_classes(output.flatten(), probabilities=probabilities), right, each)

    def weight(self, labels: Tensor) -> float:
        """One by the number of tags."""
        return len(labels) / labels.numel()

    def has_one_score(self, shape: Shape, labels: Shape) -> bool:
        """Always."""
        del shape, labels
        return True

    def guessed(self, labels: NDArray[Any]) -> float:
        """By saying each tag as often as it is there, in nats a tag."""
        shares = labels.mean(0).ravel()
        return float(np.mean([entropy_of(np.array([share, 1 - share])) for share in shares]))

    def guessed_right(self, labels: NDArray[Any]) -> float:
        """By saying of each tag what holds of most samples."""
        shares = labels.mean(0)
        return float(np.maximum(shares, 1 - shares).mean())


TASK = Multilabel(TASKS["multilabel"])
