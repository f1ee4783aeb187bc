"""Scale and shape of an activation apart: how large it is, and how it is spread over the filters at unit scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.equations import entropy, normalised_filters
from rfav_cli.statistics.base import Context, Statistic, applied, to_numpy, widened
from rfav_cli.statistics.dead import alive_filters

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.records import Layer, Nonlinearity

MOST_VECTORS = 1 << 12
"""Of an activation, that are kept for each layer until a checkpoint is done."""

MOST_NUMBERS = 1 << 20
"""In them: 4 MiB in float32."""

GOLDEN = (math.sqrt(5) - 1) / 2
"""Shifts the positions from sample to sample, so that even few a sample are spread over the whole of an image."""


class Shape(Statistic):
    """Scale, shape and effective rank of each layer's activation, which the entropy of Eq. 4 has in one.

    The filters' root mean squares r_d over samples and positions are needed first, so vectors are kept: all of a small
    probe, else evenly spaced ones, the same whatever the batch size. A vector with a number that is not finite is
    skipped. A filter is live unless it is dead (`activation/dead`) or its activation is zero, on the vectors that are
    kept; what is dead stands as 0 in shape and rank.

    - scale: the geometric mean of r_d over the filters that are not zero; those that are dead in some epochs count in
      all, so that they do not move what is told of the others.
    - shape: the mean entropy, in nats, of softmax(z) with z_d = a_d / r_d.
    - rank: e to the entropy of the normalised eigenvalues of the filters' correlation matrix after the nonlinearity.

    Multiplying a filter by a positive number, which a ReLU net allows if what follows is divided by it, changes neither
    shape nor rank. Uses of a layer are pooled. A layer of one filter has no shape, nor has one without a live filter,
    one of zeros no scale, and one whose nonlinearity is not known no rank: NaN.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._places: dict[int, tuple[NDArray[np.int64], Tensor]] = {}
        self._vectors: dict[int, list[Tensor]] = {}

    def update_activation(self, layer: int, rows: slice, activation: Tensor) -> None:
        """Keep some vectors of (n, D, *positions)."""
        if layer not in self._places:
            uses = self.context.uses[layer] if self.context.uses else 1
            chosen, positions = kept_places(self.context.layers[layer], self.context.size, uses)
            self._places[layer] = chosen, torch.from_numpy(positions).to(activation.device)
        samples, places = self._places[layer]
        start, stop = np.searchsorted(samples, (rows.start, rows.stop))
        if start == stop:
            return
        flat = activation.flatten(2) if activation.ndim > 2 else activation.unsqueeze(2)
        of_batch = torch.from_numpy(samples[start:stop] - rows.start).to(activation.device)
        vectors = flat.transpose(1, 2)[of_batch.unsqueeze(1), places[start:stop]]
        self._vectors.setdefault(layer, []).append(vectors.flatten(0, 1))

    def compute(self) -> dict[str, NDArray[Any]]:
        """`activation/scale`, `activation/shape` and `activation/rank` (L,)."""
        figures = np.full((len(self.context.layers), 3), np.nan)
        for layer, vectors in self._vectors.items():
            figures[layer] = scale_shape_rank(torch.cat(vectors), self.context.nonlinearity(layer))
        return {f"activation/{name}": figures[:, i] for i, name in enumerate(("scale", "shape", "rank"))}


def kept_places(layer: Layer, size: int, uses: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which vectors of a layer are kept: as many as may be, as evenly as can be over samples and positions.

    Args:
        layer: gives D and the positions.
        size: N.
        uses: how often a forward uses the layer.

    Returns:
        (n,) samples, ascending, and (n, p) positions of each, ascending, as indices of the flattened positions.
    """
    positions = math.prod(layer.positions)
    most = max(1, min(MOST_VECTORS, MOST_NUMBERS // layer.channels) // uses)
    samples = np.arange(min(size, most), dtype=np.int64)
    if size > most:
        samples = (2 * samples + 1) * size // (2 * most)
    each = max(1, min(positions, most // len(samples)))
    shifts = samples * GOLDEN % 1
    return samples, ((np.arange(each) + shifts[:, None]) * (positions / each)).astype(np.int64).clip(max=positions - 1)


def scale_shape_rank(vectors: Tensor, nonlinearity: Nonlinearity | None) -> tuple[float, float, float]:
    """The three figures of `Shape`, of a layer's activation vectors.

    Args:
        vectors: (M, D), float32 or wider.
        nonlinearity: what follows; None where that is not known.
    """
    filters = vectors.T.contiguous()  # a filter's numbers side by side, which is what all below is fast with
    finite = filters.isfinite().all(0)
    if not bool(finite.all()):
        filters = filters[:, finite]
    if not filters.numel():
        return math.nan, math.nan, math.nan
    wide = widened(filters)  # squares of what a half or a float holds neither overflow nor vanish
    root_mean_squares = wide.square().mean(1).sqrt()
    live = root_mean_squares > 0
    if nonlinearity is not None:
        live &= alive_filters(filters.unsqueeze(0), nonlinearity).to(live.device)
    rank = math.nan if nonlinearity is None else effective_rank(applied(nonlinearity, filters[live.to(filters.device)]))
    sized = root_mean_squares > 0
    scale = float(root_mean_squares[sized].log().mean().exp()) if sized.any() else math.nan
    if not live.any() or len(filters) == 1:
        return scale, math.nan, rank
    at_unit_scale = wide * torch.where(live, 1 / root_mean_squares, 0.0).unsqueeze(1)
    return scale, float(widened(entropy(at_unit_scale.float(), 0)).mean()), rank


def effective_rank(values: Tensor) -> float:
    """The exponential of the entropy of the normalised eigenvalues of filters' correlation matrix; 0 where none varies.

    Args:
        values: (D, M); a filter that does not vary is an eigenvalue of 0. NaN where their sum overflows.
    """
    unit = normalised_filters(values)
    smaller = to_numpy(unit @ unit.T if len(unit) <= unit.shape[1] else unit.T @ unit, np.float64)
    if not np.isfinite(smaller).all():
        return math.nan
    eigenvalues = np.linalg.eigvalsh(smaller).clip(0)  # of either product; the others of the larger one are 0
    if not eigenvalues.sum():
        return 0.0
    shares = eigenvalues[eigenvalues > 0] / eigenvalues.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
