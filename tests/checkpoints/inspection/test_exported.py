from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from tests.checkpoints.inspection.files import levels, messages, scanned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "net.pt2"
    torch.export.save(torch.export.export(nn.Linear(3, 2), (torch.ones(4, 3),)), path)
    return path


def changed(path: Path, out: Path, ending: str, change: Callable[[Any], None]) -> Path:
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w") as other:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(ending):
                document = json.loads(content)
                change(document)
                content = json.dumps(document).encode()
            other.writestr(name, content)
    return out


def test_its_operators_and_weights_are_told(exported: Path) -> None:
    file = scanned(exported)
    assert (file.format, file.opens, file.findings) == ("exported", True, ())
    assert "aten::linear.default" in file.operators.first
    assert {tensor.name: (tensor.shape, tensor.dtype) for tensor in file.tensors.first} == {
        "weight": ((2, 3), "float32"),
        "bias": ((2,), "float32"),
    }


def test_an_operator_that_nets_do_not_need_is_a_danger(exported: Path, tmp_path: Path) -> None:
    def change(document: Any) -> None:
        document["graph_module"]["graph"]["nodes"][0]["target"] = "torch.ops.aten.from_file.default"

    file = scanned(changed(exported, tmp_path / "net.pt2", "models/model.json", change))
    assert levels(file) == {"danger", "refused"}
    assert "aten::from_file" in messages(file)


def test_a_pickled_weight_is_a_danger(exported: Path, tmp_path: Path) -> None:
    def change(document: Any) -> None:
        document["config"]["weight"]["use_pickle"] = True

    file = scanned(changed(exported, tmp_path / "net.pt2", "weights_config.json", change))
    assert "weight 'weight' is a pickle" in messages(file)
    assert not file.opens
