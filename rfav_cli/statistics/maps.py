"""Heatmaps of the entropy over the positions of a layer (Figures 1, 4): their mean, and some samples' own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import Context, Statistic, has_nan, to_numpy, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass
class _Sums:
    total: Tensor
    count: Tensor
    maps: Tensor
    uses: Tensor


class Maps(Statistic):
    """The mean heatmap over all samples and the heatmaps of the first M, pooled over a layer's uses.

    Uses of another shape than the layer's first have no place in its map.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        samples = min(context.settings.maps, context.size)
        self._layers = [
            _Sums(
                torch.zeros(layer.positions, dtype=torch.float64),
                torch.zeros(layer.positions, dtype=torch.int64),
                torch.zeros((samples, *layer.positions), dtype=torch.float32),
                torch.zeros((samples,) + (1,) * len(layer.positions), dtype=torch.int64),
            )
            for layer in context.layers
        ]

    def update_entropy(self, layer: int, rows: slice, entropy: Tensor) -> None:
        """Add a batch's heatmaps to the mean, and keep those of the first samples."""
        sums = self._layers[layer]
        if entropy.shape[1:] != sums.total.shape:
            return
        values = widened(entropy)
        sums.count += len(values)
        if has_nan(values):
            sums.count -= values.isnan().sum(0).cpu()
            values = values.nan_to_num(nan=0.0)
        sums.total += values.sum(0).cpu()
        count = max(0, min(len(sums.maps), rows.stop) - rows.start)
        if count:
            sums.maps[rows.start : rows.start + count] += entropy[:count].cpu()
            sums.uses[rows.start : rows.start + count] += 1

    def compute(self) -> dict[str, NDArray[Any]]:
        """`entropy/mean_map/<layer>` (*positions) and `entropy/map/<layer>` (M, *positions), in nats."""
        columns = {}
        for index, (layer, sums) in enumerate(zip(self.context.layers, self._layers, strict=True)):
            applicable = 1.0 if layer.channels > 1 else torch.nan
            columns[f"entropy/mean_map/{index}"] = to_numpy(sums.total / sums.count * applicable, np.float32)
            if len(sums.maps):
                columns[f"entropy/map/{index}"] = to_numpy(sums.maps / sums.uses * applicable, np.float16)
        return columns
