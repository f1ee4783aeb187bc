"""Runs of 24 epochs to be compared: their losses are given, and their answers are right with a given probability."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.diagnosis.conftest import falling, make_history

if TYPE_CHECKING:
    from rfav_cli.records import History

EPOCHS = np.arange(24)


ENTROPIES = {"conv1": falling(EPOCHS, 8, 0.0), "fc1": falling(EPOCHS, 8, 0.7)}


def make_run(
    losses: np.ndarray | None = None,
    *,
    accuracy: float | None = None,
    seed: int = 0,
    path: str = "rfav.h5",
    **more: Any,
) -> History:
    """A run of 24 epochs; with an accuracy, each sample is right with that probability in every epoch."""
    columns = {}
    if accuracy is not None and losses is not None:
        right = np.random.default_rng(seed + 1000).random(losses.shape) < accuracy
        labels = np.arange(losses.shape[1]) % 10
        columns = {
            "probe__sample_prediction": np.where(right, labels, (labels + 1) % 10),
            "probe__accuracy": right.mean(1),
        }
    entropies = more.pop("entropies", ENTROPIES)
    epochs = more.pop("epochs", EPOCHS)
    history = make_history(epochs, entropies, losses, **columns, **more)
    checkpoints = tuple(replace(each, sha256=f"{seed}{each.sha256}") for each in history.checkpoints)
    return replace(history, path=path, checkpoints=checkpoints)


def other_probe(history: History) -> History:
    return replace(history, run=replace(history.run, probe=replace(history.run.probe, sha256="cd" * 32)))
