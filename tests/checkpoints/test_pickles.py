from __future__ import annotations

import argparse
import importlib
import pickle
import sys
import types
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from rfav_cli.checkpoints.pickles import is_torch_save, is_zip, load_pickle
from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.checkpoints.state_dicts import candidates
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import half, write_exported, write_legacy, write_scripted, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_zip_format_is_told_from_the_older_one(tmp_path: Path) -> None:
    write_zip(tmp_path / "zip", {})
    write_legacy(tmp_path / "legacy", {})
    assert is_zip(tmp_path / "zip")
    assert not is_zip(tmp_path / "legacy")


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
def test_files_of_torch_save_are_told_by_their_content(tmp_path: Path) -> None:
    write_zip(tmp_path / "yes-zip", {})
    write_legacy(tmp_path / "yes-legacy", {})
    half(tmp_path / "yes-cut", write_zip)
    write_scripted(tmp_path / "no-scripted")
    write_exported(tmp_path / "no-exported.pt2")
    (tmp_path / "no-text").write_text("text")
    recognised = {path.name: is_torch_save(path) for path in tmp_path.iterdir()}
    assert recognised == {name: name.startswith("yes") for name in recognised}
    assert len(recognised) == 6


@pytest.mark.parametrize("value", [np.float64(0.5), np.int16(-3), np.bool_(True), np.float16(1.5), np.uint8(200)])
@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_scalars_of_numpy_become_numbers(tmp_path: Path, write: Callable[[Path, Any], None], value: Any) -> None:
    write(tmp_path / "net.pt", {"value": value})
    number = load_pickle(tmp_path / "net.pt", trust=False)["value"]
    assert number == value.item()
    assert type(number) is type(value.item())


@pytest.mark.parametrize("value", [np.datetime64("2020-01-01"), np.complex64(1j), np.str_("text")])
def test_other_scalars_are_nothing(tmp_path: Path, value: Any) -> None:
    write_zip(tmp_path / "net.pt", {"value": value})
    assert load_pickle(tmp_path / "net.pt", trust=False)["value"] is None


def test_an_object_is_made_only_where_the_file_is_trusted(tmp_path: Path) -> None:
    write_zip(tmp_path / "net.pt", {"args": argparse.Namespace(secret="word")})
    data = load_pickle(tmp_path / "net.pt", trust=False)["args"]
    assert (type(data), data.kind, data.state) == (StandIn, "argparse.Namespace", {"secret": "word"})
    assert load_pickle(tmp_path / "net.pt", trust=True)["args"] == argparse.Namespace(secret="word")


def test_compressed_weights_are_those_that_were_saved(tmp_path: Path) -> None:
    torch.manual_seed(0)
    saved = {"weight": torch.randn(30, 30), "bias": torch.zeros(300)}
    torch.save(saved, tmp_path / "net.pt")
    with zipfile.ZipFile(tmp_path / "net.pt") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "net.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    read = load_pickle(tmp_path / "net.pt", trust=False)
    assert all(torch.equal(read[name], value) for name, value in saved.items())


def test_an_archive_with_a_name_that_is_no_text_is_torchs(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(3)}, tmp_path / "net.pt")
    raw = bytearray((tmp_path / "net.pt").read_bytes())
    directory = raw.find(b"PK\x01\x02")
    raw[directory + 9] |= 8
    raw[directory + 46] = 255
    (tmp_path / "net.pt").write_bytes(raw)
    assert is_torch_save(tmp_path / "net.pt")


def test_classes_of_a_trusted_file_are_found_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_nets.py").write_text("import torch\n\n\nclass Net(torch.nn.Linear):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    net = importlib.import_module("their_nets").Net(2, 3)
    torch.save(net, tmp_path / "net.pt")
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, "their_nets")
    with pytest.raises(CheckpointError, match="No module named 'their_nets'") as caught:
        load_pickle(tmp_path / "net.pt", trust=True)
    assert "leave out --i-trust-this-pickle" in caught.value.remedy
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert torch.equal(load_pickle(tmp_path / "net.pt", trust=True).weight, net.weight)
    assert sys.path == before
    monkeypatch.delitem(sys.modules, "their_nets")


def test_weights_are_read_without_the_code_of_their_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = nn.Sequential(type("Gone", (nn.Linear,), {"__module__": "no_such_module"})(2, 3))
    monkeypatch.setitem(sys.modules, "no_such_module", types.ModuleType("no_such_module"))
    monkeypatch.setattr(sys.modules["no_such_module"], "Gone", type(net[0]), raising=False)
    torch.save({"net": net}, tmp_path / "net.pt")
    monkeypatch.undo()
    (found,) = candidates(load_pickle(tmp_path / "net.pt", trust=False))
    assert list(found.weights) == ["0.weight", "0.bias"]
    assert torch.equal(found.weights["0.weight"], net[0].weight)


def test_a_pickle_that_is_not_torchs(tmp_path: Path) -> None:
    for content in ({"a": 1}, 0x1950A86A20F9469CFC6C):
        (tmp_path / "net.pkl").write_bytes(pickle.dumps(content, 2) * 2)
        with pytest.raises(CheckpointError, match="not written by torch"):
            load_pickle(tmp_path / "net.pkl", trust=False)
