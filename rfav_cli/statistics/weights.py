"""Filters whose weights are broken: what a training that diverged leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.statistics.base import Context, Statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Weights(Statistic):
    """How many filters of each layer have a weight that is NaN or infinite."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._nonfinite = np.zeros(len(context.layers), dtype=np.int64)

    def update_filters(self, layer: int, filters: Tensor) -> None:
        """Count among the filters (groups, D / groups, K)."""
        self._nonfinite[layer] += int((~filters.isfinite().all(-1)).sum())

    def compute(self) -> dict[str, NDArray[Any]]:
        """`weights/nonfinite` (L,)."""
        return {"weights/nonfinite": self._nonfinite}
