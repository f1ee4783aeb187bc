"""Trainings made by hand, as far as their weights go: each epoch adds to them what does not point back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records import Checkpoint, History, Layer, ProbeRecord, Run
from rfav_cli.statistics.sketch import sketch_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Weights = list[np.ndarray]
"""One checkpoint's, a layer each."""

SIZES = (27 * 8, 72 * 16, 40_000)


def training(
    seed: int,
    epochs: int = 12,
    *,
    steps: Sequence[float] | float = 0.1,
    decay: float = 0.0,
    sizes: Sequence[int] = SIZES,
    start: Weights | None = None,
) -> list[Weights]:
    """The weights of a training before its first epoch and after each.

    Args:
        seed: of its start and of its steps.
        epochs: their number, that before training counted.
        steps: how long each step is, relative to the weights before it.
        decay: the share of the weights that an epoch takes away.
        sizes: weights of each layer.
        start: its first weights, if they are not drawn.
    """
    random = np.random.default_rng(seed)
    weights = [random.standard_normal(size) for size in sizes] if start is None else [each.copy() for each in start]
    kept = [[each.copy() for each in weights]]
    for step in [steps] * (epochs - 1) if isinstance(steps, float) else steps:
        sizes_now = [float(np.sqrt(np.mean(each**2))) for each in weights]
        moves = [
            step * size * random.standard_normal(each.shape) for each, size in zip(weights, sizes_now, strict=True)
        ]
        weights = [(1 - decay) * each + move for each, move in zip(weights, moves, strict=True)]
        kept.append([each.copy() for each in weights])
    return kept


def history_of(
    weights: Sequence[Weights],
    epochs: Iterable[int] | None = None,
    names: Mapping[int, str] | None = None,
    **columns: Any,
) -> History:
    """A store of these checkpoints, in the order given; each is a file of its own."""
    numbers = list(range(-1, len(weights) - 1)) if epochs is None else list(epochs)
    layers = tuple(Layer(f"fc{i}", "Linear", 8, (each.size,), ()) for i, each in enumerate(weights[0]))
    files = tuple(
        Checkpoint(epoch, (names or {}).get(epoch, f"run/epoch_{epoch}.pt"), f"{row:064x}")
        for row, epoch in enumerate(numbers)
    )
    sketches = np.stack([np.stack([sketch_of(each.astype(np.float32)) for each in rows]) for rows in weights])
    entropy = np.outer(np.linspace(2, 1, len(weights)), np.ones(len(layers)))
    more = {name.replace("__", "/"): np.asarray(values) for name, values in columns.items()}
    known = {"checkpoint/sketch": sketches, "entropy/mean": entropy}
    return History("rfav.h5", Run(layers, (), ProbeRecord("ab" * 32, 10)), files, (), known | more)


def picked(letters: str, **runs: list[Weights]) -> list[Weights]:
    """Of the epoch at each letter, the checkpoint of the run that it names."""
    return [runs[letter][row] for row, letter in enumerate(letters)]
