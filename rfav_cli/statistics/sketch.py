"""A few hundred numbers a layer that stand for its weights, so that any two checkpoints of a run can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records.distances import SKETCH
from rfav_cli.statistics.base import Context, Statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SEED = 200209237
"""Of the signs, which are the same in every store."""

BLOCK = 256 * SKETCH
"""Weights at a time: bounds the scratch memory, and stays in a processor's caches."""


class Sketch(Statistic):
    """The sketch of each layer's weights, as the checkpoint has them: no bias, no normalisation folded in.

    `records.distances` makes lengths and scalar products of it. It is linear, and the same for the same weights on
    every machine, so that one rank, one watcher or one resumed run can measure what another is compared with.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._sketches = np.full((len(context.layers), SKETCH), np.nan, np.float32)

    def update_weights(self, layer: int, weights: Tensor) -> None:
        """Sketch the weights (n,)."""
        self._sketches[layer] = sketch_of(weights.detach().cpu().numpy())

    def compute(self) -> dict[str, NDArray[Any]]:
        """`checkpoint/sketch` (L, `SKETCH`)."""
        return {"checkpoint/sketch": self._sketches}


def sketch_of(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The count sketch of weights: each has a random sign and goes into a bucket, whose sum is kept.

    The scalar product of two sketches is on average that of the weights, with a deviation of at most
    |v| |w| sqrt(2 / `SKETCH`) (Charikar, Chen and Farach-Colton 2002); it is exact for no more weights than buckets.
    Buckets follow one another, and their number is a prime: the weights of a filter, and those of an input, are spread
    over all of them.

    Args:
        weights: (n,) float32.

    Returns:
        (`SKETCH`,) float32, NaN or infinite where a weight is.
    """
    sums = np.zeros(SKETCH)
    bits = np.random.PCG64(SEED)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(weights), BLOCK):
            block = np.zeros(-(-min(BLOCK, len(weights) - start) // SKETCH) * SKETCH, np.float32)
            piece = weights[start : start + BLOCK]
            np.multiply(piece, _signs(bits, BLOCK)[: len(piece)], out=block[: len(piece)])
            sums += block.reshape(-1, SKETCH).sum(0, dtype=np.float64)
        sketch: NDArray[np.float32] = sums.astype(np.float32)
    return sketch


def _signs(bits: np.random.PCG64, size: int) -> NDArray[np.float32]:
    """The next random signs, +-1; a whole number of 64-bit words is used up."""
    drawn = np.unpackbits(bits.random_raw(-(-size // 64)).astype("<u8").view(np.uint8))
    signs: NDArray[np.float32] = np.where(drawn[:size], np.float32(-1), np.float32(1))
    return signs
