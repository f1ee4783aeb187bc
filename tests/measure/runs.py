"""A probe of six samples, a net of two layers and its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from rfav_cli.activations.network import OpenOptions
from rfav_cli.checkpoints.find import CheckpointFile
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.data.probe import Probe, load_probe
from rfav_cli.measure.setup import Setup, open_run
from rfav_cli.records import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READING = ReadOptions()
SAMPLES = 6


def make_net() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))


def probe_of(folder: Path, *, labels: bool = True) -> Probe:
    rng = np.random.default_rng(0)
    arrays = {"images": rng.standard_normal((SAMPLES, 3)).astype(np.float32)}
    np.savez(folder / "probe.npz", **arrays, **({"labels": np.arange(SAMPLES) % 2} if labels else {}))
    return load_probe(str(folder / "probe.npz"))


def save(folder: Path, epochs: int) -> list[CheckpointFile]:
    """Checkpoints of as many epochs, each of other weights."""
    entries = []
    for epoch in range(epochs):
        torch.manual_seed(epoch)
        torch.save(make_net().state_dict(), folder / f"epoch_{epoch}.pt")
        entries.append(CheckpointFile(epoch, folder / f"epoch_{epoch}.pt"))
    return entries


def opening(make: Callable[[], nn.Module] = make_net) -> OpenOptions:
    return OpenOptions(torch.device("cpu"), make)


def set_up(
    folder: Path,
    entries: list[CheckpointFile],
    settings: Settings = Settings(),  # noqa: B008 - frozen
    *,
    labels: bool = True,
) -> Setup:
    return open_run(entries, probe_of(folder, labels=labels), READING, opening(), settings)
