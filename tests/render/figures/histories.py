"""Histories of every kind that a figure must be able to draw."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.render.conftest import HOSTILE, make_history

if TYPE_CHECKING:
    from rfav_cli.records import History


DOLLARS = "$x^{2$ \\$"


def complete(history: History, *, maps: int = 2, positions: tuple[int, ...] = (8, 8)) -> History:
    """The history with heatmaps, thumbnails and histograms, as a store has them."""
    random = np.random.default_rng(0)
    epochs, layers = len(history), history.run.layers
    columns: dict[str, Any] = dict(history.columns)
    columns["correlation/histogram"] = random.integers(0, 9, (epochs, len(layers), 201)).astype(np.uint32)
    columns["activation/scale"] = random.uniform(0.1, 9, (epochs, len(layers)))
    tops = np.array([layer.max_entropy or np.nan for layer in layers])
    columns["activation/shape"] = random.uniform(0, 1, (epochs, len(layers))) * tops
    for index, layer in enumerate(layers):
        values = random.uniform(0.2, 1.0, (epochs, max(maps, 1), *positions)) * layer.max_entropy
        columns[f"entropy/mean_map/{index}"] = values.mean(1).astype(np.float32)
        if maps:
            columns[f"entropy/map/{index}"] = values.astype(np.float16)
    thumbnails = random.integers(0, 255, (maps, 8, 8, 3)).astype(np.uint8) if maps else None
    run = replace(
        history.run,
        layers=tuple(replace(layer, positions=positions) for layer in layers),
        probe=replace(history.run.probe, thumbnails=thumbnails),
    )
    return replace(history, run=run, columns=columns)


def with_nan(history: History) -> History:
    entropy, loss = np.array(history.columns["entropy/mean"]), np.array(history.columns["probe/loss"])
    entropy[2:4, 1:], loss[3] = np.nan, np.nan
    return replace(history, columns={**history.columns, "entropy/mean": entropy, "probe/loss": loss})


KINDS: dict[str, History] = {
    "plain": complete(make_history(epochs=29)),
    "one epoch": complete(make_history(epochs=1)),
    "nan": complete(with_nan(make_history())),
    "one channel": complete(make_history(("a", "b"), channels=(1, 8))),
    "60 layers": complete(make_history(tuple(f"stage{i}.conv" for i in range(60)), epochs=6)),
    "tokens": complete(make_history(), positions=(7,)),
    "dense": complete(make_history(), positions=()),
    "volumes": complete(make_history(), positions=(2, 3, 4)),
    "no maps of images": complete(make_history(), maps=0),
    "hostile": complete(make_history((HOSTILE, DOLLARS, "畳み込み", "</svg>", ""), path=HOSTILE)),
}
