from __future__ import annotations

import hashlib
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn
from torch._export.serde.serialize import serialize

from rfav_cli.checkpoints.formats import exported
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import write_exported

if TYPE_CHECKING:
    from pathlib import Path

    from torch.export import ExportedProgram


def program(*sizes: int | torch.export.Dim) -> ExportedProgram:
    shapes = ({0: sizes[0]},) if sizes else None
    return torch.export.export(nn.Linear(2, 3).bfloat16(), (torch.zeros(3, 2).bfloat16(),), dynamic_shapes=shapes)


def test_the_program_is_read_with_a_module_in_float32(tmp_path: Path) -> None:
    torch.export.save(program(), tmp_path / "net.pt2")
    payload = exported.read(tmp_path / "net.pt2", ReadOptions())
    assert payload.kind == "exported"
    assert {weight.dtype for weight in payload.content.module.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("sizes", "least", "most"),
    [
        ((), 3, 3),
        ((torch.export.Dim("batch", min=2, max=64),), 2, 64),
        ((torch.export.Dim("batch", min=2),), 2, sys.maxsize),
    ],
)
def test_how_many_samples_it_takes_is_read(
    tmp_path: Path, sizes: tuple[torch.export.Dim, ...], least: int, most: int
) -> None:
    torch.export.save(program(*sizes), tmp_path / "net.pt2")
    content = exported.read(tmp_path / "net.pt2", ReadOptions()).content
    assert (content.least, content.most) == (least, most)


def test_the_layout_of_torch_2_7_is_read_too(tmp_path: Path) -> None:
    net = nn.Linear(2, 3)
    parts = serialize(torch.export.export(net, (torch.zeros(4, 2),)))
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("version", "8.8")
        archive.writestr("serialized_exported_program.json", parts.exported_program)
        archive.writestr("serialized_state_dict.pt", parts.state_dict)
        archive.writestr("serialized_constants.pt", parts.constants)
        archive.writestr("serialized_example_inputs.pt", parts.example_inputs)
    assert exported.recognises(tmp_path / "old.pt2")
    images = torch.ones(4, 2)
    torch.testing.assert_close(exported.read(tmp_path / "old.pt2", ReadOptions()).content.module(images), net(images))


def test_damaged_archives(tmp_path: Path) -> None:
    write_exported(tmp_path / "net.pt2")
    content = (tmp_path / "net.pt2").read_bytes()
    cut = tmp_path / "cut.pt2"
    cut.write_bytes(content[: len(content) // 2])
    assert not exported.recognises(cut)
    with pytest.raises(CheckpointError, match=r"cut\.pt2"):
        exported.read(cut, ReadOptions())
    position = content.index(b'"graph_module"')
    damaged = tmp_path / "damaged.pt2"
    damaged.write_bytes(content[:position] + bytes(20) + content[position + 20 :])
    with pytest.raises(CheckpointError, match=r"damaged\.pt2"):
        exported.read(damaged, ReadOptions())


def test_batch_norms_of_older_programs_are_held_against_their_channels(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
    images = torch.randn(2, 3, 4, 4)
    torch.export.save(torch.export.export(net, (images,)).run_decompositions(), tmp_path / "net.pt2")
    module = exported.read(tmp_path / "net.pt2", ReadOptions()).content.module
    assert "_batch_norm" in module.code
    torch.testing.assert_close(module(images), net(images))
    with pytest.raises(ValueError, match=r"a batch norm of 4 channels with weights for \(2,\)"):
        exported._batch_norm(torch.zeros(1, 4, 2, 2), *[torch.ones(2)] * 4, 0.1, 1e-5)


def test_the_digest_is_of_the_bytes_that_were_read(tmp_path: Path) -> None:
    write_exported(tmp_path / "net.pt2")
    digest = hashlib.sha256((tmp_path / "net.pt2").read_bytes()).hexdigest()
    assert exported.read(tmp_path / "net.pt2", ReadOptions()).sha256 == digest
