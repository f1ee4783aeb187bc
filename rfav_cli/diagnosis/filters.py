"""What is to be said of a layer's filters by their correlations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import median
from rfav_cli.records import FilterFinding
from rfav_cli.text import count, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History, Layer

CORRELATIONS = {"correlation/abs_mean", "correlation/histogram", "correlation/degenerate"}
"""Columns that tell of filters, all of which are needed."""


def look_at_filters(history: History, thresholds: Thresholds) -> tuple[tuple[FilterFinding, ...], ...]:
    """Look at the weights of each layer, (L,): those of the last checkpoint, and what they became over the epochs."""
    columns = history.columns
    if CORRELATIONS - columns.keys() or not len(history):
        return tuple(() for _ in history.run.layers)
    sizes = np.asarray(columns["correlation/abs_mean"][:], np.float64)
    histogram = np.asarray(columns["correlation/histogram"][-1], np.float64)
    degenerate = np.asarray(columns["correlation/degenerate"][-1], np.float64)
    broken = _broken(history)
    trained = history.epochs >= 0
    return tuple(
        (
            *_nonfinite(layer, broken[i]),
            *_constant(layer, degenerate[i] - np.nan_to_num(broken[i]), told_apart=bool(np.isfinite(broken[i]))),
            *_duplicate(histogram[i], thresholds.duplicate),
            *_correlated(layer, history.epochs[trained], sizes[trained, i], thresholds.correlated),
        )
        for i, layer in enumerate(history.run.layers)
    )


def correlation_by_chance(layer: Layer) -> float:
    """Mean absolute correlation of filters of K independent normal weights.

    Exact: Gamma((K - 1) / 2) / (sqrt(pi) Gamma(K / 2)), about sqrt(2 / (pi K)).
    """
    weights = math.prod(layer.weight_shape) / layer.channels
    if weights <= 1:
        return 1.0
    return math.exp(math.lgamma((weights - 1) / 2) - math.lgamma(weights / 2)) / math.sqrt(math.pi)


def _broken(history: History) -> NDArray[np.float64]:
    """(L,) filters of the last epoch with weights that are not finite; NaN in a store that does not tell."""
    column = history.columns.get("weights/nonfinite")
    return np.full(len(history.run.layers), np.nan) if column is None else np.asarray(column[-1], np.float64)


def _nonfinite(layer: Layer, number: float) -> Iterator[FilterFinding]:
    if number > 0:
        evidence = f"{some_of(int(number), layer.channels, 'filter', 'have')} weights that are NaN or infinite"
        yield FilterFinding("nonfinite", int(number), evidence)


def _constant(layer: Layer, number: float, *, told_apart: bool) -> Iterator[FilterFinding]:
    if number > 0:
        other = "" if told_apart else ", or with values that are not finite"
        evidence = f"{some_of(int(number), layer.channels, 'filter', 'have')} weights without variance{other}"
        yield FilterFinding("constant", int(number), evidence)


def _duplicate(histogram: NDArray[np.float64], limit: float) -> Iterator[FilterFinding]:
    """Pairs in the bins whose coefficient, of two decimals, is beyond the limit."""
    bins = np.linspace(-1.0, 1.0, len(histogram))
    number = int(np.nansum(histogram[np.abs(bins) > limit + 1e-9]))
    if number:
        evidence = f"{count(number, 'pair')} of filters with |correlation| above {limit:g}"
        yield FilterFinding("duplicate", number, evidence)


def _correlated(
    layer: Layer, epochs: NDArray[np.int64], sizes: NDArray[np.float64], limit: float
) -> Iterator[FilterFinding]:
    """Correlated throughout, or only by the end; untrained weights say nothing."""
    finite = np.isfinite(sizes)
    epochs, sizes = epochs[finite], sizes[finite]
    if not len(sizes):
        return
    chance = correlation_by_chance(layer)
    first, last = float(sizes[0]), float(sizes[-1])
    course = f"mean |correlation| {first:.2f} at epoch {epochs[0]}, {last:.2f} at epoch {epochs[-1]}"
    if min(median(sizes), last) - chance > limit and first - chance > limit:
        yield FilterFinding("correlated", 0, f"{course}, where chance gives {chance:.2f}")
    elif last - max(first, chance) > limit:
        yield FilterFinding("correlating", 0, f"{course}: the filters become alike")
