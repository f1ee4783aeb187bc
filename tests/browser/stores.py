"""Stores drawn here, of any size: a run that overfits, whose later layers lose entropy from a moment on."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records import Checkpoint, Layer, Measurement, ProbeRecord, Run, Settings, SkippedLayer
from rfav_cli.store import StoreWriter, pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "\u202eevil\u2066\x1b[31m\x07",
    '=HYPERLINK("http://example.invalid")',
    "\u2028';alert(3)//`${alert(4)}",
    "שכבה",
    "x" * 3000,
)
"""Names of layers that try to run, to break out and to turn the text around."""


def names_of(count: int) -> list[str]:
    """Names as a deep net has them."""
    return [f"layer{1 + 4 * i // count}.{i}.conv{1 + i % 2}" for i in range(count - 1)] + ["head.fc1"]


def write_store(
    path: Path,
    names: Sequence[str],
    *,
    epochs: int = 12,
    samples: int = 40,
    images: int = 6,
    side: int = 8,
    checkpoint: str = "run/epoch_{:03d}.pt",
    labels: bool = True,
    without: Sequence[str] = (),
    stop: int | None = None,
) -> None:
    """Write a packed store, or the beginning of one that is still written; called again, it goes on.

    Args:
        path: of the store.
        names: of the layers; all but the last have maps of `side` x `side` positions, the last has one position.
        epochs: E, from -1 on.
        samples: N.
        images: M.
        side: of the first map; later ones are half of it.
        checkpoint: the path of a checkpoint, from its epoch.
        labels: the probe has them.
        without: columns that are not written, as beginnings of their names.
        stop: how many epochs are there so far; None for all, packed.
    """
    random = np.random.default_rng(3)
    layers = tuple(
        Layer(name, "Conv2d", 32, (32, 16, 3, 3), (side >> (2 * i // len(names)),) * 2)
        if i < len(names) - 1
        else Layer(name, "Linear", 64, (64, 32), ())
        for i, name in enumerate(names)
    )
    thumbnails = random.integers(0, 256, (images, 16, 16, 3), np.uint8) if images else None
    given = np.arange(samples, dtype=np.int64) % 10 if labels else None
    probe = ProbeRecord("ab" * 32, samples, given, thumbnails, checkpoint)
    writer = StoreWriter.open(
        path, Run(layers, (SkippedLayer(checkpoint, "classifier"),), probe, Settings(maps=images))
    )
    for epoch, columns in islice(figures(layers, epochs, samples, images, random), stop):
        if epoch in writer.committed:
            continue
        kept = {name: values for name, values in columns.items() if not name.startswith(tuple(without) or "-")}
        writer.append(Measurement(Checkpoint(epoch, checkpoint.format(epoch), f"{epoch:064d}"[-64:]), kept))
    if stop is None:
        pack(path)


def figures(
    layers: Sequence[Layer], epochs: int, samples: int, images: int, random: np.random.Generator
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(epoch, columns), in order."""
    count = len(layers)
    moment = epochs // 3
    hardness = random.uniform(0.6, 1.4, samples)
    tops = np.array([layer.max_entropy for layer in layers])
    depth = np.linspace(0, 1, count)
    depth[-1] *= 0.95  # so that a layer that has maps loses the most, which is the one that a page begins with
    for row in range(epochs):
        since = max(row - moment, 0) / max(epochs - moment, 1)
        losses = hardness * (0.7 + 1.6 * np.exp(-3 * row / max(moment, 1)) + 1.4 * since)
        level = 0.97 - 0.15 * depth * min(row / max(moment, 1), 1) - 0.7 * depth**2 * since
        wobble = random.normal(0, 0.006, count)
        sample_mean = (
            np.clip(level[:, None] + wobble[:, None] + random.normal(0, 0.05, (count, samples)), 0.01, 1)
            * tops[:, None]
        )
        columns: dict[str, Any] = {
            "probe/loss": np.float64(losses.mean()) if samples else np.float64(np.nan),
            "probe/accuracy": np.float64(0.2 + 0.5 * min(row / max(moment, 1), 1)),
            "probe/sample_loss": losses.astype(np.float32),
            "probe/sample_prediction": (np.arange(samples) % 10).astype(np.int32),
            "probe/sample_confidence": np.full(samples, 0.5, np.float32),
            "entropy/mean": sample_mean.mean(1),
            "entropy/std": sample_mean.std(1),
            "entropy/sample_mean": sample_mean.astype(np.float32),
            "correlation/mean": np.full(count, 0.01),
            "correlation/abs_mean": 0.1 + 0.1 * depth,
            "correlation/degenerate": np.zeros(count, np.int64),
            "correlation/histogram": correlations(count, since, random),
            "nonfinite": np.zeros(count, np.int64),
            "activation/dead": np.where(np.arange(count) % 4 == 3, np.nan, min(since, 0.25)),
        }
        for index, layer in enumerate(layers):
            wins = random.random(layer.channels) * (np.arange(layer.channels) < 3 + index)
            columns[f"activation/winners/{index}"] = (wins / wins.sum()).astype(np.float32)
            maps = random.uniform(0.6, 1.0, (images, *layer.positions)) * sample_mean[index, 0]
            if images:
                columns[f"entropy/map/{index}"] = maps.astype(np.float16)
            mean_map = random.uniform(0.8, 1.0, layer.positions) * sample_mean[index].mean()
            columns[f"entropy/mean_map/{index}"] = np.asarray(mean_map, np.float32)
        yield row - 1, columns


def correlations(count: int, since: float, random: np.random.Generator) -> Any:
    """(L, 201) counts of a bell that widens."""
    centres = np.linspace(-1, 1, 201)
    bell = np.exp(-0.5 * (centres / (0.1 + 0.1 * since)) ** 2)
    return random.poisson(np.broadcast_to(bell * 400 / bell.sum(), (count, 201))).astype(np.uint32)
