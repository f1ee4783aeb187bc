"""Runs made by hand: the course of their loss and entropies is known, and so is what must be said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records import Checkpoint, History, Layer, ProbeRecord, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CHANNELS, SIZE = 64, 200
TOP = float(np.log(CHANNELS))


def learning(epochs: NDArray[np.int64], until: int) -> NDArray[np.float64]:
    """A loss that falls from 2.3 until an epoch and stays at 1.2 from there."""
    left = np.clip((until - epochs) / until, 0, 1)
    return 1.2 + 1.1 * left**2


def overfitting(epochs: NDArray[np.int64], until: int, by: float) -> NDArray[np.float64]:
    """The same, but it rises by a share of its minimum from that epoch to the last."""
    return learning(epochs, until) * (1 + by * np.clip((epochs - until) / max(epochs[-1] - until, 1), 0, 1))


def sample_losses(
    means: NDArray[np.float64], wobble: float = 0.0, seed: int = 0, size: int = SIZE
) -> NDArray[np.float64]:
    """Losses (E, N) of samples that differ in how hard they are, with a wobble that they share and one of their own.

    Args:
        means: (E,).
        wobble: standard deviation of what all samples of an epoch share, as a share of the mean.
        seed: of the random numbers.
        size: N.
    """
    random = np.random.default_rng(seed)
    hardness = random.gamma(2.0, 0.5, size)
    shared = 1 + wobble * random.standard_normal(len(means))
    return (means * shared)[:, None] * (hardness / hardness.mean()) + 0.05 * random.standard_normal((len(means), size))


def falling(epochs: NDArray[np.int64], since: int, by: float) -> NDArray[np.float64]:
    """An entropy that stays at 90 % of ln D, and loses a share of itself from an epoch to the last."""
    return 0.9 * TOP * (1 - by * np.clip((epochs - since) / max(epochs[-1] - since, 1), 0, 1))


def answers_of(
    ratios: NDArray[np.float64], doubts: NDArray[np.float64], size: int = 1000, seed: int = 0, classes: int = 10
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Answers (E, N) of a net, and how sure it is of each: N samples that are doubted more or less.

    From one epoch to the next, each sample changes its answer with a probability of its doubt times the ratio.

    Args:
        ratios: (E,) of changed answers to doubt since the epoch before; the first is not used.
        doubts: (E,) mean doubt, at most 0.5.
        size: N.
        seed: of the random numbers.
        classes: how many there are.
    """
    random = np.random.default_rng(seed)
    doubt = 2 * np.clip(doubts, 0, 0.5)[:, None] * random.random(size)
    chances = np.clip(ratios[1:, None] * (doubt[1:] + doubt[:-1]) / 2, 0, 1)
    steps = (random.random(chances.shape) < chances) * random.integers(1, classes, chances.shape)
    first = random.integers(0, classes, (1, size))
    return np.cumsum(np.concatenate([first, steps]), axis=0) % classes, 1 - doubt


def calibrated_predictions(
    count: int, uncertainty: float, size: int = 1000, seed: int = 0, classes: int = 10
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Predictions and confidences, (count, size), of nets with nothing in common but how often they are right."""
    random = np.random.default_rng(seed)
    unsure = 2 * min(uncertainty, 0.5) * random.random((count, size))
    labels = np.arange(size) % classes
    wrong = (labels + random.integers(1, classes, (count, size))) % classes
    return np.where(random.random((count, size)) < unsure, wrong, labels), 1 - unsure


def make_history(
    epochs: NDArray[np.int64],
    entropies: Mapping[str, NDArray[np.float64]],
    losses: NDArray[np.float64] | None = None,
    *,
    channels: Mapping[str, int] | None = None,
    **columns: Any,
) -> History:
    """A run.

    Args:
        epochs: (E,).
        entropies: name of a layer -> (E,) in nats.
        losses: (E, N) of each sample; None for a probe without labels.
        channels: name of a layer -> D, where it is not `CHANNELS`.
        columns: more of them, with "__" for "/".
    """
    kinds = {name: "Conv1d" if name.startswith("conv") else "Linear" for name in entropies}
    layers = tuple(
        Layer(name, kind, (channels or {}).get(name, CHANNELS), (CHANNELS, 32), ()) for name, kind in kinds.items()
    )
    labels, held = None, {"probe/loss": np.full(len(epochs), np.nan)}
    if losses is not None:
        labels = np.arange(losses.shape[1]) % 10
        held = {"probe/loss": losses.mean(1), "probe/sample_loss": losses}
    return History(
        path="rfav.h5",
        run=Run(layers, (), ProbeRecord("ab" * 32, SIZE if losses is None else losses.shape[1], labels)),
        checkpoints=tuple(Checkpoint(int(epoch), f"run/epoch_{epoch}.pt", f"{epoch:064x}") for epoch in epochs),
        bad=(),
        columns={
            "entropy/mean": np.array(list(entropies.values())).reshape(len(layers), len(epochs)).T,
            **held,
            **{name.replace("__", "/"): values for name, values in columns.items()},
        },
    )
