"""Small runs as trainings leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.checkpoints.find import CheckpointFiles, Search, find_checkpoints

if TYPE_CHECKING:
    from pathlib import Path


def weights(value: float = 0, *, layers: int = 2) -> dict[str, torch.Tensor]:
    """A state_dict whose first weight is one value."""
    return {"conv.weight": torch.full((4, 3, 2, 2), float(value))} | {
        f"fc{n}.weight": torch.ones(4, 4) for n in range(layers)
    }


def adam() -> dict[str, Any]:
    """The state of an optimizer that has made a step."""
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def save(path: Path, content: Any) -> Path:
    """torch.save, into a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return path


def found(folder: Path, **search: Any) -> CheckpointFiles:
    """What is found in a folder."""
    return find_checkpoints([str(folder)], Search(**search))


def numbers(files: CheckpointFiles) -> dict[str, int]:
    """The name of each checkpoint -> its epoch or step."""
    return {entry.path.name: entry.epoch for entry in files.entries}
