"""What a run has a number or a histogram of for each epoch and layer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.render.base import column, entropies
from rfav_cli.render.html.blocks import Block, in_memory, smallest_type
from rfav_cli.render.html.thinning import spread

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from rfav_cli.records import Column, History

CELLS = 3_000_000
"""Numbers of a histogram over epochs and layers, beyond which epochs are left out."""

BINS = 64
"""Of the distribution of samples, from 0 to ln D."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

NUMBERS = {
    "correlation_mean": "correlation/mean",
    "correlation_abs_mean": "correlation/abs_mean",
    "scale": "activation/scale",
    "shape": "activation/shape",
    "rank": "activation/rank",
    "dead": "activation/dead",
}
"""Block -> column, (E, L)."""


def figure_blocks(history: History, marked: Collection[int]) -> dict[str, Block]:
    """The blocks of what is no heatmap, those that the store has.

    Args:
        history: what the store holds.
        marked: epochs, as indices, that are not left out of histograms.
    """
    blocks = {"entropy": in_memory("f4", entropies(history))}
    blocks |= {
        name: in_memory("f4", column(history, stored)) for name, stored in NUMBERS.items() if stored in history.columns
    }
    if "checkpoint/sketch" in history.columns:
        blocks["distance"] = in_memory("f4", history.layer_distance)
    if "correlation/histogram" in history.columns:
        rows = _rows(history, 201, marked)
        counts = whole_counts(np.asarray(history.columns["correlation/histogram"])[list(rows)])
        blocks["correlation"] = in_memory(smallest_type(counts), counts, rows)
    if "entropy/sample_mean" in history.columns:
        values = np.asarray(history.columns["entropy/sample_mean"])
        blocks |= _distribution(history, values, _rows(history, BINS, marked))
    return blocks | _winners(history, marked)


def _winners(history: History, marked: Collection[int]) -> dict[str, Block]:
    """`winners/<layer>` (E', D), the shares of positions that each filter wins, quantised over 0 to 1."""
    layers = history.run.layers
    rows = spread(len(history), max(CELLS // max(sum(layer.channels for layer in layers), 1), 2), marked)
    columns = {index: history.columns.get(f"activation/winners/{index}") for index in range(len(layers))}
    return {
        f"winners/{index}": Block(
            "u2", (len(rows), layers[index].channels), partial(_read_rows, column, rows), rows, top=1.0
        )
        for index, column in columns.items()
        if column is not None
    }


def _read_rows(column: Column, rows: tuple[int, ...]) -> NDArray[Any]:
    return np.asarray(column[list(rows)], np.float32)


def whole_counts(values: NDArray[Any]) -> NDArray[np.uint32]:
    """Counts of any type as a page takes them; those of an epoch that was written without them, NaN, are 0."""
    highest = float(np.iinfo(np.uint32).max)
    return np.nan_to_num(np.asarray(values, np.float64), posinf=highest).clip(0, highest).astype(np.uint32)


def _rows(history: History, bins: int, marked: Collection[int]) -> tuple[int, ...]:
    fitting = CELLS // (bins * max(len(history.run.layers), 1))
    return spread(len(history), max(fitting, 2), marked)


def _distribution(history: History, samples: NDArray[np.float32], rows: tuple[int, ...]) -> dict[str, Block]:
    """How the samples' mean entropies, (E, L, N), are distributed: deviation, quantiles and histogram."""
    epochs, layers, _ = samples.shape
    quantiles = np.full((epochs, layers, len(QUANTILES)), np.nan, np.float32)
    deviation = np.full((epochs, layers), np.nan, np.float32)
    counts = np.zeros((len(rows), layers, BINS), np.int64)
    for index, layer in enumerate(history.run.layers):
        if layer.channels == 1:
            continue
        values = samples[:, index]
        quantiles[:, index], deviation[:, index] = summarise(values)
        counts[:, index] = histogram(values[list(rows)], layer.max_entropy)
    return {
        "sample_std": in_memory("f4", deviation),
        "quantiles": in_memory("f4", quantiles),
        "distribution": in_memory(smallest_type(counts), counts, rows),
    }


def summarise(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Quantiles (E, 5) of samples (E, N), each one of them, and their deviation (E,); NaN where there are none."""
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=1)  # NaN comes last
    finite = np.isfinite(ordered)
    number = finite.sum(1)
    places = np.rint(np.maximum(number - 1, 0)[:, None] * np.array(QUANTILES)).astype(int)
    some = np.maximum(number, 1)
    mean = np.where(finite, ordered, 0).sum(1, dtype=np.float64) / some
    squares = np.where(finite, ordered - mean[:, None], 0) ** 2
    deviation = np.sqrt(squares.sum(1) / some)
    quantiles = np.take_along_axis(ordered, places, 1) if values.shape[1] else np.full(places.shape, np.nan)
    return quantiles.astype(np.float32), np.where(number > 0, deviation, np.nan).astype(np.float32)


def histogram(values: NDArray[np.float32], top: float) -> NDArray[np.int64]:
    """Counts (E, `BINS`) of samples (E, N) in equal bins from 0 to `top`; what is not finite is in none."""
    epochs = len(values)
    finite = np.isfinite(values)
    bins = np.clip(np.where(finite, values, 0) * (BINS / top), 0, BINS - 1).astype(np.int64)
    places = (np.arange(epochs)[:, None] * BINS + bins)[finite]
    return np.bincount(places, minlength=epochs * BINS).reshape(epochs, BINS)
