"""Histories made by hand, with figures that a test can know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli import render
from rfav_cli.diagnosis import judge
from rfav_cli.records import (
    BadCheckpoint,
    Checkpoint,
    History,
    Layer,
    ProbeRecord,
    Run,
    Settings,
    SkippedLayer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = "=cmd|'/c calc'!A1\x1b[31m[bold]\u202e</script>,\"\n-\x9b"


def make_history(
    names: tuple[str, ...] = ("conv1", "conv2", "fc1"),
    *,
    channels: tuple[int, ...] | None = None,
    epochs: int = 12,
    labels: bool = True,
    path: str = "rfav.h5",
) -> History:
    """Entropies fall from ln D in the first epoch to (l + 1) / (L + 1) of it less in the last, layer by layer."""
    channels = channels or (32,) * len(names)
    layers = tuple(
        Layer(name, "Conv2d", width, (width, 3, 3, 3), (8, 8)) for name, width in zip(names, channels, strict=True)
    )
    fall = np.outer(np.linspace(0, 1, epochs), np.arange(1, len(names) + 1) / (len(names) + 1))
    loss = 1.0 + (np.linspace(-1, 1, epochs) ** 2 if epochs > 1 else np.zeros(epochs))
    accuracy = np.linspace(0.1, 0.6, epochs)
    nothing = np.full(epochs, np.nan)
    return History(
        path=path,
        run=Run(
            layers=layers,
            skipped=(SkippedLayer("fc2", "classifier"),),
            probe=ProbeRecord("ab" * 32, 1000, np.arange(1000) % 10 if labels else None, source="probe.npz"),
        ),
        checkpoints=tuple(Checkpoint(e - 1, f"run/epoch_{e - 1}.pt", "cd" * 32) for e in range(epochs)),
        bad=(),
        columns={
            "entropy/mean": np.log(channels) * (1 - fall),
            "correlation/mean": np.full((epochs, len(names)), -0.012),
            "correlation/abs_mean": np.full((epochs, len(names)), 0.125),
            "probe/loss": loss if labels else nothing,
            "probe/accuracy": accuracy if labels else nothing,
            "nonfinite": np.zeros((epochs, len(names)), np.int64),
        },
    )


def shown(history: History, *arguments: Any, **options: Any) -> str:
    """What is shown of a history, with the verdict on it."""
    return render.render(history, judge(history), *arguments, **options)


@pytest.fixture
def history() -> History:
    return make_history()


@pytest.fixture
def hostile() -> History:
    """Every text in the store is chosen by an enemy."""
    base = make_history((HOSTILE, "@layer", "+1"), path=HOSTILE)
    return History(
        path=base.path,
        run=Run(
            base.run.layers,
            (SkippedLayer(HOSTILE, HOSTILE),),
            ProbeRecord(HOSTILE, 3, np.arange(3), source=HOSTILE),
            Settings(loss=HOSTILE),
        ),
        checkpoints=tuple(Checkpoint(each.epoch, HOSTILE, "") for each in base.checkpoints),
        bad=(BadCheckpoint(HOSTILE, HOSTILE),),
        columns=base.columns,
    )


@pytest.fixture
def make() -> Callable[..., History]:
    return make_history


def with_training(history: History, confidence: float = 0.9, gap: float = 0.1) -> History:
    """The same run, measured on training samples too: the net is as sure of them, and of the probe by a gap less."""
    epochs = len(history)
    columns = {
        "train/confidence": np.full(epochs, confidence),
        "train/loss": np.full(epochs, 0.25),
        "train/accuracy": np.full(epochs, 0.5),
        "probe/sample_confidence": np.full((epochs, 2), confidence - gap),
    }
    run = replace(history.run, train_probe=ProbeRecord("ef" * 32, 500, source="train.npz"))
    return replace(history, run=run, columns={**history.columns, **columns})
