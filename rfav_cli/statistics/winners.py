"""Which filters win: at what share of the positions each is the largest of its layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import Context, Statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

_EXACT = 2**24
"""Up to here float32 counts without rounding."""

_LONG_ROW = 32
"""From here on torch takes the maximum of a row several numbers at a time."""


class Winners(Statistic):
    """For each of a layer's filters, the share of positions at which its activation is the largest, of all samples.

    Positions whose largest number is NaN or infinite are skipped, as they are in the entropy. Where several are the
    largest, the first of them wins. The uses of a layer are pooled by their positions. The shares add up to 1; they are
    NaN where no position is left.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wins = [torch.zeros(layer.channels, dtype=torch.float64) for layer in context.layers]

    def update_activation(self, layer: int, rows: slice, activation: Tensor) -> None:  # noqa: ARG002 - pooled over samples
        """Count the positions that each filter of (n, D, *positions) wins."""
        self._wins[layer] += wins(activation).cpu()

    def compute(self) -> dict[str, NDArray[Any]]:
        """`activation/winners/<layer>` (D,), float32."""
        return {
            f"activation/winners/{index}": (counts / counts.sum()).numpy().astype(np.float32)
            for index, counts in enumerate(self._wins)
        }


def wins(activation: Tensor) -> Tensor:
    """At how many positions each filter is the largest.

    Args:
        activation: (n, D, *positions).

    Returns:
        (D,) int64. A position is counted once, for the first of its largest filters; not at all where the largest
        number is NaN or infinite.
    """
    blocks = activation.flatten(2) if activation.dim() > 2 else activation.unsqueeze(2)
    if blocks.stride(1) == 1 or blocks.shape[2] == 1:
        blocks = blocks.transpose(1, 2).flatten(0, 1)
    positions = blocks.numel() // blocks.shape[1]
    if not positions:
        return torch.zeros(blocks.shape[1], dtype=torch.int64, device=blocks.device)
    if blocks.device.type == "cpu" and positions < _EXACT:
        # Two thirds of the time of asking where the maximum is: -1 for each number below it, 0 for the maximum itself.
        largest = _largest(blocks)
        below = torch.sub(blocks, largest).sign_()
        sums = torch.mv(below.T, below.new_ones(len(below))) if below.dim() == 2 else below.sum((0, 2))
        counts = sums.long() + positions
        # Where several are the largest, too many are counted; a sum is finite where all are, if it does not overflow.
        if int(counts.sum()) == positions and math.isfinite(float(largest.sum())):
            return counts
    largest, first = blocks.max(1)
    return torch.bincount(first[largest.isfinite()], minlength=blocks.shape[1])


def _largest(blocks: Tensor) -> Tensor:
    """The largest number of each position of (M, D) rows or (n, D, P) blocks, with an axis of one in place of D."""
    # A maximum along short rows is slow, one of their halves is not.
    while blocks.dim() == 2 and 8 <= blocks.shape[1] < _LONG_ROW and blocks.shape[1] % 2 == 0:
        blocks = torch.maximum(*blocks.chunk(2, 1))
    return blocks.amax(1, keepdim=True)
