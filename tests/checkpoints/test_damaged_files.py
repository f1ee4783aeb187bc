"""Files of weights that are damaged at random: each is read, or refused in words; nothing else comes of it."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.contents import look_into
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import (
    write_deepspeed,
    write_distcp,
    write_folder,
    write_legacy,
    write_safetensors,
    write_zip,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WEIGHTS = {"0.weight": torch.arange(12.0).view(3, 4), "0.bias": torch.ones(3), "count": torch.tensor(5)}
ROUNDS = 40
BESIDE = {"epoch": 3, "optimizer": {"state": {0: {"step": 1.5, "m": torch.ones(3)}}}, "args": {"lr": [0.1, None, "a"]}}


def write_shards(path: Path) -> None:
    path.mkdir()
    names = [f"pytorch_model-{number:05d}-of-00002.bin" for number in (1, 2)]
    parts = [{"0.weight": WEIGHTS["0.weight"]}, {"0.bias": WEIGHTS["0.bias"], "count": WEIGHTS["count"]}]
    for name, part in zip(names, parts, strict=True):
        torch.save(part, path / name)
    index = {"weight_map": {key: name for name, part in zip(names, parts, strict=True) for key in part}}
    (path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (path / "trainer_state.json").write_text(json.dumps({"epoch": 2.0, "global_step": 40}))


WRITE: dict[str, Callable[[Path], object]] = {
    "archive": lambda path: write_zip(path, {"model": WEIGHTS, **BESIDE}),
    "protocol 4": lambda path: torch.save({"model": WEIGHTS, **BESIDE}, path, pickle_protocol=4),
    "legacy": lambda path: write_legacy(path, {"model": WEIGHTS, **BESIDE}),
    "safetensors": lambda path: write_safetensors(path, WEIGHTS),
    "folder": lambda path: write_folder(path, WEIGHTS),
    "shards": write_shards,
    "distcp": lambda path: write_distcp(path, {"model": WEIGHTS, "epoch": 3}),
    "deepspeed": lambda path: write_deepspeed(path, WEIGHTS),
}


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Bytes with a few of them changed, cut off, put elsewhere, or said again."""
    raw = bytearray(content)
    how = rng.randrange(6)
    at, length = rng.randrange(len(raw)), rng.randrange(1, 40)
    if how == 0:
        raw[at] ^= 1 << rng.randrange(8)
    elif how == 1:
        for _ in range(rng.randrange(1, 9)):
            raw[rng.randrange(len(raw))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
    elif how == 2:
        del raw[at:]
    elif how == 3:
        del raw[at : at + length]
    elif how == 4:
        raw[at:at] = raw[(start := rng.randrange(len(raw))) : start + length]
    else:
        raw[at : at + length] = rng.randbytes(length)
    return bytes(raw)


def outcome(call: Callable[[Path, ReadOptions], Any], path: Path) -> str:
    try:
        call(path, ReadOptions())
    except CheckpointError as error:
        refusal = error
    else:
        return "read"
    assert str(path) in refusal.what
    assert refusal.remedy
    return "refused"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITE)
def test_damage_is_told_in_words(name: str, tmp_path: Path) -> None:
    rng = random.Random(name)
    whole, copy = tmp_path / "whole", tmp_path / "net_3.pt"
    WRITE[name](whole)
    files = sorted(path for path in whole.rglob("*") if path.is_file()) if whole.is_dir() else [whole]
    ends: set[str] = set()
    for _ in range(ROUNDS):
        file = rng.choice(files)
        content = damaged(file.read_bytes(), rng)
        if whole.is_dir():
            shutil.copytree(whole, copy, dirs_exist_ok=True)
        (copy / file.relative_to(whole) if whole.is_dir() else copy).write_bytes(content)
        outcome(look_into, copy)
        ends.add(outcome(formats.read, copy))
    assert "refused" in ends
