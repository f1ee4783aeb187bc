"""How alike a layer's filters are (Eq. 6): their correlations, as figures and as a histogram (Figure 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from rfav_cli.equations import normalised_filters
from rfav_cli.statistics.base import Context, Statistic, widened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.records import Centering

BINS = 201
"""Correlations rounded to two decimals, from -1.00 to 1.00."""

BLOCK_WEIGHTS = 4 * 1024 * 1024
"""Weights a block: bounds the scratch memory of a layer of thousands of neurons; smaller layers are one block."""


def pair_correlations(filters: Tensor, centering: Centering) -> Iterator[tuple[Tensor, int]]:
    """The correlations of all pairs d < e of filters, a block at a time, in float64.

    `equations.correlation_matrix` gives the same as a whole matrix.

    Args:
        filters: (D, K).
        centering: see `equations.correlation_matrix`.

    Yields:
        (n,) float64, each pair once; and how many more degenerate filters there are.
    """
    length = max(1, BLOCK_WEIGHTS // filters.shape[1])
    for start in range(0, len(filters), length):
        rows = _unit_rows(filters, start, length, centering)
        for other in range(0, start, length):
            yield (rows @ _unit_rows(filters, other, length, centering).T).flatten().clamp(-1, 1), 0
        within = rows @ rows.T
        lower = torch.ones_like(within, dtype=torch.bool).tril(-1)
        yield within[lower].clamp(-1, 1), int((within.diagonal() == 0).sum())


def _unit_rows(filters: Tensor, start: int, length: int, centering: Centering) -> Tensor:
    """Filters centred and of length 1. The mean filter needs all of them, each filter's own mean does not."""
    if centering == "pearson":
        return normalised_filters(widened(filters[start : start + length]))
    return normalised_filters(widened(filters), centering)[start : start + length]


class Correlation(Statistic):
    """Mean and mean absolute correlation over the pairs of a layer, their histogram, and the degenerate filters.

    A constant filter is degenerate and counts as 0 in all its pairs. A filter with a weight that is NaN or infinite is
    counted as degenerate too, but its pairs are skipped: nothing is known of them. A layer without a pair (one filter
    a group, no two finite ones) or with one weight a filter has no correlation: NaN and an empty histogram.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        size = len(context.layers)
        self._mean = np.full(size, np.nan)
        self._abs_mean = np.full(size, np.nan)
        self._degenerate = np.zeros(size, dtype=np.int64)
        self._histogram = np.zeros((size, BINS), dtype=np.uint32)

    def update_filters(self, layer: int, filters: Tensor) -> None:
        """Correlate the filters (groups, D / groups, K) within each group."""
        _, members, weights = filters.shape
        if members < 2 or weights < 2:
            return
        centering = cast("Centering", self.context.settings.centering)
        total = absolute = 0.0
        pairs = 0
        for group in filters:
            finite = group[group.isfinite().all(-1)]
            self._degenerate[layer] += members - len(finite)
            pairs += len(finite) * (len(finite) - 1) // 2
            for values, degenerate in pair_correlations(finite, centering):
                self._degenerate[layer] += degenerate
                total += float(values.sum())
                absolute += float(values.abs().sum())
                bins = (values * 100).round().long() + 100
                self._histogram[layer] += torch.bincount(bins, minlength=BINS).cpu().numpy().astype(np.uint32)
        if pairs:
            self._mean[layer], self._abs_mean[layer] = total / pairs, absolute / pairs

    def compute(self) -> dict[str, NDArray[Any]]:
        """`correlation/mean`, `abs_mean`, `degenerate` (L,), `correlation/histogram` (L, 201)."""
        return {
            "correlation/mean": self._mean,
            "correlation/abs_mean": self._abs_mean,
            "correlation/degenerate": self._degenerate,
            "correlation/histogram": self._histogram,
        }
