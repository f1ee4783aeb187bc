from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from rfav_cli.checkpoints.formats import torchscript
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import write_scripted

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")


def frozen(net: nn.Module, path: Path) -> Path:
    torch.jit.save(torch.jit.freeze(torch.jit.script(net.eval())), str(path))
    return path


def test_the_module_is_read_in_evaluation_mode_and_float32(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Dropout()).double().train()
    torch.jit.save(torch.jit.script(net), str(tmp_path / "net.pt"))
    payload = torchscript.read(tmp_path / "net.pt", ReadOptions())
    assert payload.notes == ()
    assert not payload.content.training
    assert {weight.dtype for weight in payload.content.parameters()} == {torch.float32}


def test_a_frozen_net_is_said_to_have_lost_its_names(tmp_path: Path) -> None:
    (note,) = torchscript.read(frozen(nn.Sequential(nn.Linear(2, 3)), tmp_path / "net.pt"), ReadOptions()).notes
    assert "frozen" in note


def test_weights_frozen_in_another_type_are_refused(tmp_path: Path) -> None:
    path = frozen(nn.Sequential(nn.Linear(2, 3)).bfloat16(), tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match=r"frozen in torch\.bfloat16"):
        torchscript.read(path, ReadOptions())


def test_damaged_archives(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    write_scripted(path)
    content = path.read_bytes()
    cut = tmp_path / "cut.pt"
    cut.write_bytes(content[: len(content) // 2])
    assert not torchscript.recognises(cut)
    with zipfile.ZipFile(path) as archive:
        start = next(i.header_offset for i in archive.infolist() if "/code/" in i.filename)
    damaged = tmp_path / "damaged.pt"
    damaged.write_bytes(content[: start + 150] + bytes(20) + content[start + 170 :])
    with pytest.raises(CheckpointError, match=r"damaged\.pt"):
        torchscript.read(damaged, ReadOptions())
