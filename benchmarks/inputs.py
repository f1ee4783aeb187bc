"""What the benchmarks share: nets with random weights, a probe of random images, and the printed table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from rfav_cli import nets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CLASSES = 10
SIZE = 32


def make_net(name: str) -> torch.nn.Module:
    """A net with random weights: "vanillanet-s", ... or a name of torchvision's."""
    if name.startswith("vanillanet-"):
        return nets.vanilla_net(name.removeprefix("vanillanet-"), CLASSES, SIZE)
    from torchvision import models

    return models.get_model(name, weights=None, num_classes=CLASSES)


def factory_of(name: str) -> Callable[[], torch.nn.Module]:
    """What `rfav_cli.analyze` takes as `model`."""

    def make() -> torch.nn.Module:
        return make_net(name)

    return make


def write_checkpoints(name: str, folder: Path, count: int) -> list[Path]:
    """State_dicts of a net, their weights growing as in a training, so that later activations are larger."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"epoch_{epoch:03d}.pt" for epoch in range(count)]
    for epoch, path in enumerate(paths):
        torch.manual_seed(epoch)
        growth = 1.0 + epoch / count
        state = make_net(name).state_dict()
        torch.save({key: value * growth if key.endswith("weight") else value for key, value in state.items()}, path)
    return paths


def write_probe(path: Path, count: int) -> Path:
    """Random images and labels: what is in them changes no time."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
    np.savez(path, images=images, labels=random.integers(0, CLASSES, count))
    return path


def read_probe(path: Path) -> torch.Tensor:
    """The images as a script has them: (N, 3, H, W) float32 in 0..1."""
    with np.load(path) as arrays:
        return torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2).contiguous() / 255


def machine(device: str) -> dict[str, Any]:
    """What the figures were measured on."""
    processor = torch.cuda.get_device_name() if device == "cuda" else torch.backends.cpu.get_cpu_capability()
    return {"device": device, "processor": processor, "threads": torch.get_num_threads(), "torch": torch.__version__}


def memory(name: str) -> float:
    """A line of what Linux says about this process's memory, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) / 1e3


def print_table(title: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Print rows of the same columns."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(rows[0]):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row.values())
    Console().print(table)


def write_json(path: Path | None, document: Mapping[str, Any]) -> None:
    """Write the figures, if a file was asked for."""
    if path:
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
