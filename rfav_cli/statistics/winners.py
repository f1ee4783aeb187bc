"""Which filters win: at what share of the positions each is the largest of its layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import Context, Statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Winners(Statistic):
    """For each of a layer's filters, the share of positions at which its activation is the largest, of all samples.

    Positions whose largest number is NaN or infinite are left out, as they are of the entropy. Where several are the
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
    counts = torch.zeros(activation.shape[1], dtype=torch.int64, device=activation.device)
    if activation.numel():
        # One pass that a thread team begins and ends once. A compare with the maximum takes as long on few channels.
        largest, first = activation.max(1)
        finite = largest.isfinite()
        winners = first.flatten() if bool(finite.all()) else first[finite]
        counts += torch.bincount(winners, minlength=len(counts))
    return counts
