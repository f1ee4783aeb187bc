"""The entropy of the receptive field activations (Eq. 4), averaged: the figure that the verdict rests on (Figure 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import Context, Statistic, has_nan, to_numpy, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Entropy(Statistic):
    """Mean and deviation over samples and positions, mean a sample, and the count of what was not finite.

    A layer that is used several times is pooled over its uses. A layer of one channel has no entropy to speak of: NaN.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._sums = [torch.zeros(3, context.size, dtype=torch.float64) for _ in context.layers]
        self._nonfinite = [0] * len(context.layers)

    def update_entropy(self, layer: int, rows: slice, entropy: Tensor) -> None:
        """Add the entropies of each sample up, in float64, skipping what is not finite, and padding."""
        values = widened(entropy.reshape(len(entropy), -1))
        count = values.new_full((len(values),), values.shape[1])
        if has_nan(values):
            missing = values.isnan()
            count -= missing.sum(1)
            values = values.nan_to_num(nan=0.0)
            padding = self.context.padding_of(layer, rows)
            self._nonfinite[layer] += int(missing.sum()) - (0 if padding is None else int(padding.sum()))
        self._sums[layer][:, rows] += torch.stack([count, values.sum(1), values.square().sum(1)]).cpu()

    def compute(self) -> dict[str, NDArray[Any]]:
        """`entropy/mean`, `entropy/std` (L,), `entropy/sample_mean` (L, N), in nats; `nonfinite` (L,)."""
        count, total, squares = torch.stack(self._sums, dim=1)
        mean = total.sum(1) / count.sum(1)
        # Rounding can put a constant layer's variance a hair below zero.
        std = (squares.sum(1) / count.sum(1) - mean.square()).clamp(min=0).sqrt()
        sample_mean = total / count
        for index, layer in enumerate(self.context.layers):
            if layer.channels == 1:
                mean[index] = std[index] = sample_mean[index] = torch.nan
        return {
            "entropy/mean": to_numpy(mean, np.float64),
            "entropy/std": to_numpy(std, np.float64),
            "entropy/sample_mean": to_numpy(sample_mean, np.float32),
            "nonfinite": np.array(self._nonfinite, dtype=np.int64),
        }
