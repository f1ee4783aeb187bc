"""Which format a file is taken for, and what is refused whatever the format."""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import zipfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats import FILES, FOLDERS, FORMATS
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import (
    half,
    state,
    write_deepspeed,
    write_distcp,
    write_exported,
    write_folder,
    write_legacy,
    write_safetensors,
    write_scripted,
    write_zip,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")

WRITE: dict[str, Callable[[Path], object]] = {
    "state_dict": lambda path: write_zip(path, state()),
    "safetensors": lambda path: write_safetensors(path, state()),
    "torchscript": write_scripted,
    "exported": write_exported,
    "huggingface": lambda path: write_folder(path, state()),
    "distcp": lambda path: write_distcp(path, {"model": state()}),
    "deepspeed": lambda path: write_deepspeed(path, state()),
}
"""How a checkpoint of each format is written."""
KINDS = {"torchscript": "torchscript", "exported": "exported"}
"""Of the formats that give programs; the others give state_dicts."""


def test_each_format_has_a_checkpoint_to_be_tried_on() -> None:
    assert set(WRITE) == set(FORMATS)


@pytest.mark.parametrize("name", WRITE)
def test_each_format_alone_recognises_its_checkpoints_and_reads_them(name: str, tmp_path: Path) -> None:
    suffix = ".pt2" if name == "exported" else ""
    WRITE[name](tmp_path / f"saved{suffix}")
    path = shutil.move(tmp_path / f"saved{suffix}", tmp_path / "no-ending")
    tables = FOLDERS if path.is_dir() else FILES
    assert formats.is_checkpoint_folder(path) == path.is_dir()
    assert [form for form in tables if import_module(f"{formats.__name__}.{form}").recognises(path)] == [name]
    assert formats.format_of(path) == name
    payload = formats.read(path, ReadOptions())
    assert (payload.kind, payload.path, payload.epoch) == (KINDS.get(name, "eager"), path, None)
    assert formats.stored_epoch(path, ReadOptions()) is None


def test_other_files_are_of_no_format(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.pt").write_text("text")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    for path in tmp_path.iterdir():
        with pytest.raises(CheckpointError, match="not a checkpoint") as caught:
            formats.format_of(path)
        assert all(words in caught.value.remedy for words in FORMATS.values())


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.touch(), "empty"),
    "missing": (lambda path: None, "cannot be read"),
    "a folder": (lambda path: path.mkdir(), "a folder that is not a checkpoint"),
    "text": (lambda path: path.write_text("hello world"), "not a checkpoint"),
    "half a zip": (lambda path: half(path, write_zip), "damaged or cut off"),
    "half a legacy file": (lambda path: half(path, write_legacy), "damaged"),
    "half of safetensors": (lambda path: half(path, write_safetensors), "damaged or cut off"),
    "a plain pickle": (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "not written by torch.save"),
    "a list of tensors": (lambda path: torch.save([torch.ones(2)], path), "holds a list of 1, not a state_dict"),
    "a tensor": (lambda path: torch.save(torch.ones(2), path), "holds a Tensor"),
    "no tensors": (lambda path: torch.save({"epoch": 3}, path), "mapping without tensors"),
    "a Namespace": (lambda path: torch.save({"args": argparse.Namespace()}, path), "a mapping without tensors"),
    "a whole net": (lambda path: torch.save(nn.ReLU(), path), "holds a torch.nn.modules.activation.ReLU,"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_bad_files(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "bad.pt"
    make(path)
    with pytest.raises(CheckpointError, match=message) as caught:
        formats.read(path, ReadOptions())
    assert str(path) in caught.value.what
    assert "\n" not in caught.value.what
    assert caught.value.remedy


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are POSIX")
def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.pt")
    for path, words in ((tmp_path / "1.pt", "is a FIFO, not"), (Path("/dev/zero"), "is a device, not")):
        with pytest.raises(CheckpointError, match=words):
            formats.format_of(path)
