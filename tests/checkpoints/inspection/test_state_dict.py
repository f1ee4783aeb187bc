from __future__ import annotations

import pickle
import zipfile
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from tests.checkpoints.inspection.files import Calls, levels, messages, scanned

if TYPE_CHECKING:
    from pathlib import Path


class Net(nn.Linear):
    """A class that is not torch's own."""


def test_a_state_dict_is_clean_in_both_formats(tmp_path: Path) -> None:
    state = {"state_dict": nn.Linear(3, 2).state_dict(), "epoch": 4}
    for zipped in (True, False):
        torch.save(state, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
        file = scanned(tmp_path / "net.pt")
        assert (file.format, file.opens, file.findings) == ("state_dict", True, ())
        assert [entry.name for entry in file.tensors.first] == ["state_dict.weight", "state_dict.bias"]
        assert (file.tensors.first[0].shape, file.tensor_bytes) == ((2, 3), 32)
        assert file.metadata == {"epoch": "4"}


@pytest.mark.parametrize("zipped", [True, False])
def test_objects_are_noted_and_calls_are_a_danger(tmp_path: Path, *, zipped: bool) -> None:
    path = tmp_path / "net.pt"
    torch.save(Net(3, 2), path, _use_new_zipfile_serialization=zipped)
    file = scanned(path)
    assert (levels(file), file.opens) == ({"note"}, True)
    assert file.classes.first == (f"{__name__}.Net",)
    torch.save({"weight": torch.ones(2), "x": Calls()}, path, _use_new_zipfile_serialization=zipped)
    assert levels(scanned(path)) == {"danger", "refused"}


def test_a_state_that_runs_code_as_it_is_set_is_a_danger(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2), "x": Calls(type, "X", (), {"__setstate__": eval})}, tmp_path / "net.pt")
    assert "calls __builtin__.type" in messages(scanned(tmp_path / "net.pt"))
    assert "names __builtin__.eval" in messages(scanned(tmp_path / "net.pt"))


def rewritten(path: Path, name: str, content: bytes) -> Path:
    """The archive with one member in place of another, or besides."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()} | {name: content}
    with zipfile.ZipFile(path, "w") as archive:
        for member, held in members.items():
            archive.writestr(member, held)
    return path


def test_a_pickle_beside_the_one_that_torch_reads_is_walked_through(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "net.pt")
    file = scanned(rewritten(tmp_path / "net.pt", "net/other.bin", pickle.dumps(Calls())))
    assert "net/other.bin: calls" in messages(file)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("net/data/0", b"1234", "has 4 bytes, its tensor needs 8"),
        ("net/data.pkl", b"", "damaged or cut off, or not written by torch.save"),
        ("net/data.pkl", b"\x80\x02}q", "cannot be followed to its end"),
        ("net/data.pkl", b"\x80\x02\x82\x01.", "cannot be followed to its end"),
    ],
)
def test_a_damaged_file_is_not_clean(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "net.pt")
    file = scanned(rewritten(tmp_path / "net.pt", name, content))
    assert words in messages(file)
    assert not file.opens


def test_a_missing_storage_and_a_cut_file_are_not_clean(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save({"weight": torch.ones(200)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    path.write_bytes(content[:-4])
    assert "smaller than its tensors" in messages(scanned(path))
    path.write_bytes(content + b"more")
    assert messages(scanned(path)) == "4 bytes at its end belong to no tensor"
    path.write_bytes(content.replace((200).to_bytes(8, "little"), (201).to_bytes(8, "little")))
    assert "the numbers are not those" in messages(scanned(path))
    torch.save({"weight": torch.ones(200)}, path)
    path.write_bytes(path.read_bytes()[:900])
    assert levels(scanned(path)) == {"incomplete"}


def test_an_optimizer_is_no_checkpoint_and_no_fault(tmp_path: Path) -> None:
    torch.save(torch.optim.SGD(nn.Linear(3, 2).parameters()).state_dict(), tmp_path / "optimizer.pt")
    file = scanned(tmp_path / "optimizer.pt")
    assert (levels(file), file.opens, file.why_not) == ({"note"}, False, "holds the state of an optimizer, no weights")
