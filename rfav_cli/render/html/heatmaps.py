"""Heatmaps, and the images that they are of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.render.html.blocks import Block, in_memory
from rfav_cli.render.html.thinning import fit, spread

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from rfav_cli.records import Column, History

BUDGET = 12 << 20
"""Bytes of a page's heatmaps before they are deflated."""

AT_ONCE = 32 << 20
"""Bytes that are read from the store at once."""

LARGEST_THUMBNAIL = 128
"""Pixels of a side; larger images are shown by every second, third, ... pixel."""


def heatmap_blocks(history: History, images: int, budget: int, onsets: Collection[int]) -> dict[str, Block]:
    """`map/<layer>` (E', M', *positions) and `mean_map/<layer>` (E', *positions), quantised over 0 to ln D.

    Args:
        history: what the store holds.
        images: M', at most; 0 leaves the mean heatmaps.
        budget: bytes.
        onsets: epochs, as indices, that are not left out.
    """
    layers = range(len(history.run.layers))
    names = [name for name in (f"entropy/map/{index}" for index in layers) if name in history.columns]
    images = min([images, *(history.columns[name].shape[1] for name in names)]) if names else 0
    sizes = [_positions(history, index) for index in layers]
    epochs, shown = fit(len(history), images, sum(sizes), budget)
    mean_epochs, _ = fit(len(history), 1, sum(sizes), budget // 4)
    rows, mean_rows = spread(len(history), max(epochs, 2), onsets), spread(len(history), max(mean_epochs, 2), onsets)
    blocks = {}
    for index, layer in enumerate(history.run.layers):
        mean, maps = history.columns.get(f"entropy/mean_map/{index}"), history.columns.get(f"entropy/map/{index}")
        if mean is not None:
            shape = (len(mean_rows), *mean.shape[1:])
            blocks[f"mean_map/{index}"] = Block(
                "u1", shape, partial(_read, mean, mean_rows), mean_rows, layer.max_entropy
            )
        if maps is not None and shown:
            shape = (len(rows), shown, *maps.shape[2:])
            read = partial(_read, maps, rows, shown)
            blocks[f"map/{index}"] = Block("u1", shape, read, rows, layer.max_entropy)
    return blocks


def image_blocks(history: History, images: int) -> dict[str, Block]:
    """What there is of the first images: thumbnails, mean entropies, what the net says of them."""
    blocks: dict[str, Block] = {}
    if not images:
        return blocks
    thumbnails = history.run.probe.thumbnails
    if thumbnails is not None and len(thumbnails) >= images:
        step = -(-max(thumbnails.shape[1:3]) // LARGEST_THUMBNAIL)
        blocks["thumbnails"] = in_memory("u1", thumbnails[:images, ::step, ::step])
    names = {"image_entropy": ("f4", "entropy/sample_mean"), "image_loss": ("f4", "probe/sample_loss")}
    names |= {"image_calibrated_loss": ("f4", "probe/sample_calibrated_loss")}
    names |= {"image_prediction": ("i4", "probe/sample_prediction")}
    names |= {"image_confidence": ("f4", "probe/sample_confidence")}
    for name, (dtype, stored) in names.items():
        if stored in history.columns:
            values = np.asarray(history.columns[stored])[..., :images]
            blocks[name] = in_memory(dtype, np.where(np.isfinite(values), values, -1) if dtype == "i4" else values)
    return blocks


def _positions(history: History, index: int) -> int:
    return int(np.prod(history.run.layers[index].positions, dtype=np.int64))


def _read(column: Column, rows: tuple[int, ...], images: int | None = None) -> NDArray[Any]:
    """Epochs of heatmaps, a few at once, so that little more of a large store than what is shown is in memory."""
    size = column.dtype.itemsize * int(np.prod(column.shape[1:], dtype=np.int64))
    several = max(1, AT_ONCE // max(size, 1))
    stretches = [list(rows[first : first + several]) for first in range(0, len(rows), several)]
    return np.concatenate([column[stretch] if images is None else column[stretch][:, :images] for stretch in stretches])
