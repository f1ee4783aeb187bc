"""A run of real checkpoints whose store says what a test wants of it: the figures are drawn, the files are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.checkpoints.digests import digest_of
from rfav_cli.records import Checkpoint, Layer, Measurement, ProbeRecord, Run, Settings
from rfav_cli.store import StoreWriter, pack
from tests.acceptance.project.tiny_net import TinyNet

if TYPE_CHECKING:
    from pathlib import Path

EPOCHS, SIZE, MOMENT = 24, 200, 8
CALIBRATION = {"temperature": 1.5, "calibrated_loss": 0.7, "calibration_error": 0.2, "calibrated_error": 0.02}
"""Of every epoch, where it is asked for."""
LAYERS = (
    Layer("conv1", "Conv2d", 6, (6, 3, 3, 3), (8, 8)),
    Layer("conv2", "Conv2d", 8, (8, 6, 3, 3), (6, 6)),
    Layer("fc1", "Linear", 10, (10, 72), ()),
)


def write_judged(folder: Path, *, overfits: bool, settings: Settings | None = None, calibrated: bool = False) -> Path:
    """`run/epoch_*.pt` of the tiny net and `judged.h5`, where conv2 and fc1 collapse from epoch 8 on, or nothing does.

    Returns:
        The store; it calls the checkpoints by their path from the folder.
    """
    (folder / "run").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    probe = ProbeRecord("ab" * 32, SIZE, np.arange(SIZE, dtype=np.int64) % 4)
    store = folder / "judged.h5"
    writer = StoreWriter.open(store, Run(LAYERS, (), probe, settings or Settings(model="tiny_net:make_net(classes=4)")))
    hardness = random.uniform(0.5, 1.5, SIZE)
    for epoch in range(-1, EPOCHS):
        name = f"run/epoch_{epoch:03d}.pt"
        torch.manual_seed(epoch + 1)
        torch.save(TinyNet().state_dict(), folder / name)
        since = max(epoch - MOMENT, 0) / (EPOCHS - MOMENT) if overfits else 0.0
        losses = hardness * (0.8 + 1.5 * np.exp(-(epoch + 1) / 3) + 2 * since)
        kept = np.array([0.95, 0.9 - 0.8 * since, 0.8 - 0.7 * since])
        columns: dict[str, Any] = {
            "probe/loss": np.float64(losses.mean()),
            "probe/accuracy": np.float64(0.5),
            "probe/sample_loss": losses.astype(np.float32),
            "entropy/mean": kept * [layer.max_entropy for layer in LAYERS],
            "correlation/mean": np.zeros(3),
            "correlation/abs_mean": np.full(3, 0.05),
            "correlation/degenerate": np.zeros(3, np.int64),
        }
        if calibrated:
            columns |= {f"probe/{name}": np.float64(value) for name, value in CALIBRATION.items()}
        writer.append(Measurement(Checkpoint(epoch, name, digest_of(folder / name)), columns))
    pack(store)
    return store
