"""Checkpoint files of each format, and files that are none."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed import checkpoint as distributed_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def state() -> dict[str, Tensor]:
    """The weights of a small net."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(400, 5)).state_dict()


class Marker:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def write_zip(path: Path, state: Any) -> None:
    torch.save(state, path)


def write_legacy(path: Path, state: Any) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


def write_safetensors(path: Path, state: dict[str, Tensor]) -> None:
    save_file(state, path)


def write_folder(path: Path, state: dict[str, Tensor]) -> None:
    """What transformers' save_pretrained leaves."""
    path.mkdir(parents=True)
    save_file(state, path / "model.safetensors", metadata={"format": "pt"})
    (path / "config.json").write_text("{}")


def write_distcp(path: Path, state: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is", UserWarning)
        distributed_checkpoint.save(state, checkpoint_id=path, no_dist=True)


def write_deepspeed(path: Path, state: dict[str, Tensor], name: str = "mp_rank_00_model_states.pt") -> None:
    path.mkdir(parents=True, exist_ok=True)
    torch.save({"module": state, "param_shapes": [{"0.weight": torch.Size([2])}], "ds_version": "0.18"}, path / name)


def write_scripted(path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(2, 2).eval()), str(path))


def write_exported(path: Path) -> None:
    torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.zeros(3, 2),)), path)


def half(path: Path, write: Callable[[Path, Any], None]) -> None:
    write(path, state())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
