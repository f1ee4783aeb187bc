from __future__ import annotations

import warnings
import zipfile
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from tests.checkpoints.inspection.files import levels, messages, scanned

if TYPE_CHECKING:
    from pathlib import Path


class Saves(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, "out.pt")
        return x


@pytest.fixture
def script(tmp_path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch speaks of torch.export
        torch.jit.script(nn.Sequential(nn.Linear(3, 2), nn.ReLU())).save(tmp_path / "net.pt")
    return tmp_path / "net.pt"


def rewritten(path: Path, old: bytes, new: bytes) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert any(old in content for content in members.values())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content.replace(old, new))
    return path


def test_its_operators_and_tensors_are_told(script: Path) -> None:
    file = scanned(script)
    assert (file.format, file.opens, file.findings) == ("torchscript", True, ())
    assert {"aten::linear", "aten::relu"} <= set(file.operators.first)
    assert sorted(tensor.shape for tensor in file.tensors.first) == [(2,), (2, 3)]


@pytest.mark.parametrize("call", [b"torch.save(input)", b"torch.from_file(input)", b"ops.aten.no_such(input)"])
def test_what_nets_do_not_need_is_a_danger(script: Path, call: bytes) -> None:
    file = scanned(rewritten(script, b"torch.relu(input)", call))
    assert levels(file) == {"danger", "refused"}
    assert not file.opens


def test_a_cut_archive_is_incomplete(script: Path) -> None:
    script.write_bytes(script.read_bytes()[:-60])
    assert "incomplete" in levels(scanned(script))


def test_a_member_that_is_not_what_was_written_is_incomplete(script: Path) -> None:
    content = bytearray(script.read_bytes())
    content[content.index(b"c__torch__") + 3] ^= 1
    script.write_bytes(content)
    assert "checksum" in messages(scanned(script))


def test_code_that_hides_by_the_spelling_of_its_name_is_refused(script: Path) -> None:
    with zipfile.ZipFile(script) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(script, "w") as archive:
        for name, content in members.items():
            archive.writestr(
                name.replace("code/__torch__/torch/nn/modules/lin", "CODE/__torch__/torch/nn/modules/lin"), content
            )
    file = scanned(script)
    assert levels(file) == {"danger", "refused"}
    assert not file.opens
