"""What other tools say of the same checkpoints: `python -m benchmarks.detection.baselines --out DIR`.

DIR is where `benchmarks.detection.train` put its trainings. WeightWatcher's alpha and delve's saturation of each layer,
and the entropy of the net's predictions, of every third checkpoint and the last, go to `runs/baselines.json`, so that
scoring needs neither library. Needs `pip install rfav-cli[bench]`; about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import logging
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from delve import SaturationTracker
from delve.writers import AbstractWriter
from weightwatcher import WeightWatcher

from benchmarks.detection.cases import table
from benchmarks.detection.measure import add_rows, finished
from benchmarks.detection.train import SIZE, to_input
from rfav_cli.nets import ZOO

if TYPE_CHECKING:
    from benchmarks.detection.configurations import Configuration

EVERY, BATCH = 3, 100
SATURATION = "eval-saturation_"


class Values(AbstractWriter):  # type: ignore[misc]
    """Keeps what delve would write to a file."""

    def __init__(self) -> None:
        self.kept: dict[str, float] = {}

    def resume_from_saved_state(self, initial_epoch: int) -> None:
        """Nothing is resumed."""

    def add_scalar(self, name: str, value: float, **_: Any) -> None:
        """Keep a value."""
        self.kept[name] = float(value)

    def add_scalars(self, prefix: str, value_dict: dict[str, float], **_: Any) -> None:
        """Keep the values of a layer."""
        self.kept |= {prefix + name: float(value) for name, value in value_dict.items()}

    def save(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """Nothing is open."""


def main() -> None:
    """Compute what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the trainings are")
    parser.add_argument("--only", default="", help="trainings whose name has this in it")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    there = table("baselines")
    for configuration in finished(options.out):
        if options.only in configuration.name and configuration.name not in there:
            row = look_at(configuration, options.out / configuration.name)
            add_rows("baselines", {configuration.name: row})
            print(configuration.name, flush=True)


def look_at(configuration: Configuration, folder: Path) -> dict[str, Any]:
    """A training's checkpoints as the other tools see them, a list along the epochs for each layer."""
    net = ZOO[configuration.net](classes=configuration.classes, image_size=SIZE).eval()
    with np.load(folder / "probe.npz") as arrays:
        images = to_input(torch.from_numpy(arrays["images"].transpose(0, 3, 1, 2)))
    last = configuration.epochs - 1
    epochs = sorted({*range(-1, last, EVERY), last})
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        values = Values()
        tracker = SaturationTracker(scratch, values, net, stats=["lsat"], device="cpu")
        for epoch in epochs:
            net.load_state_dict(torch.load(folder / "checkpoints" / f"epoch_{epoch}.pt", weights_only=True))
            entropy = output_entropy(net, images)
            tracker.add_saturations()
            saturation = {key.removeprefix(SATURATION): value for key, value in values.kept.items()}
            rows.append({"alpha": alphas(net), "saturation": saturation, "output_entropy": {"output": entropy}})
    kinds = {kind: {name: [_rounded(row[kind][name]) for row in rows] for name in rows[0][kind]} for kind in rows[0]}
    return {"epochs": epochs, **kinds}


@torch.no_grad()
def output_entropy(net: torch.nn.Module, images: torch.Tensor) -> float:
    """Mean entropy of the net's predictions as a share of its highest; delve's hooks see the same forward passes."""
    scores = torch.cat([net(batch) for batch in images.split(BATCH)])
    logs = scores.double().log_softmax(1)
    return float(-(logs.exp() * logs).sum(1).mean()) / math.log(scores.shape[1])


def alphas(net: torch.nn.Module) -> dict[str, float]:
    """WeightWatcher's power-law exponent of each layer, by its defaults; NaN where it fits none."""
    details = WeightWatcher(model=net).analyze()
    found = dict(zip(details["name"], details["alpha"], strict=True)) if len(details) else {}
    layers = [name for name, each in net.named_modules() if isinstance(each, (torch.nn.Conv2d, torch.nn.Linear))]
    return {name: float(found.get(name, math.nan)) for name in layers}


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


if __name__ == "__main__":
    main()
