"""Every statistic through a small net, and what of it no output shows."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import eager
from rfav_cli.data.probe import Probe
from rfav_cli.diagnosis import judge
from rfav_cli.measure.checkpoint import measure
from rfav_cli.measure.setup import fit
from rfav_cli.records import Checkpoint, History, Settings
from rfav_cli.render import document
from rfav_cli.render.html.prepared import prepare
from rfav_cli.render.screen import Screen
from rfav_cli.render.text import csv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SAMPLES = 12


class Small(nn.Module):
    """A convolution and dense layers, with a filter that is dead."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(16, 6)
        self.head = nn.Linear(6, 3)
        nn.init.constant_(self.conv.bias[0], -99.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.fc(self.conv(x).relu().flatten(1)).relu())


def measured(seed: int) -> History:
    """One epoch of every statistic in the table, with labels, as a history of as many as a verdict takes."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    images = random.random((SAMPLES, 1, 4, 4), np.float32)
    labels = np.arange(SAMPLES, dtype=np.int64) % 3
    probe = Probe(images, labels, (), None, None, np.zeros((SAMPLES, 4, 4, 1), np.uint8), "ab" * 32, "drawn here")
    options = OpenOptions(torch.device("cpu"), make_model=Small)
    setup = fit(eager.open_fresh(Small, options), probe, options, Settings(maps=4))
    columns: dict[str, Any] = measure(setup, Checkpoint(0, "a.pt", ""), 5, lambda _: None).columns
    files = tuple(Checkpoint(epoch, f"{epoch}.pt", "0" * 64) for epoch in range(5))
    return History("rfav.h5", setup.run, files, (), {name: np.stack([v] * 5) for name, v in columns.items()})


def unseen(history: History) -> list[str]:
    """Columns that are NaN alone, and those whose figures may change without a change in JSON, CSV or report."""
    before = outputs(history)
    return [
        name
        for name, column in history.columns.items()
        if np.isnan(values := np.asarray(column, np.float64)).all()
        or all(outputs(replace(history, columns=history.columns | {name: other})) == before for other in others(values))
    ]


def others(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Figures that a column might have in the place of these; a verdict may rest on few of them."""
    return [values + 1, np.full_like(values, np.nan), np.zeros_like(values)]


def outputs(history: History) -> tuple[str, ...]:
    """What `show` and `report` make of a history, verdict and all; the digest of its figures is left out."""
    verdict = judge(history)
    tables = [csv.render(history, verdict, epochs=epochs, screen=Screen()) for epochs in (False, True)]
    run = prepare(history, verdict, np.full(len(history), np.nan), name="run")
    manifest: Mapping[str, Any] = {**run.manifest, "revision": ""}
    blocks = {name: hashlib.sha256(block.packed()).hexdigest() for name, block in run.blocks.items()}
    return (repr(document.show_document(history, verdict)), *tables, repr(manifest), repr(blocks))
