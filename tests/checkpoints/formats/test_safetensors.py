from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from rfav_cli.checkpoints.formats import safetensors
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import half, state, write_safetensors

if TYPE_CHECKING:
    from pathlib import Path


def test_weights_are_read_as_they_are(tmp_path: Path) -> None:
    weights = state()
    write_safetensors(tmp_path / "net", weights)
    (candidate,) = safetensors.read(tmp_path / "net", ReadOptions()).content
    assert candidate.name == ""
    assert set(candidate.weights) == set(weights)
    assert all(torch.equal(candidate.weights[name], weight) for name, weight in weights.items())


@pytest.mark.parametrize("head", [b"", b"\x08", bytes(8) + b"{", (10**9).to_bytes(8, "little") + b"{", b"12345678["])
def test_a_head_without_a_header_is_not_recognised(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "net").write_bytes(head)
    assert not safetensors.recognises(tmp_path / "net")


def test_a_shape_that_torch_has_not(tmp_path: Path) -> None:
    header = b'{"weight":{"dtype":"F32","shape":[0,%d],"data_offsets":[0,0]}}' % (2**63)
    (tmp_path / "net").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(CheckpointError, match="damaged or cut off"):
        safetensors.read(tmp_path / "net", ReadOptions())


def test_half_a_file_is_recognised_and_refused(tmp_path: Path) -> None:
    half(tmp_path / "net", write_safetensors)
    assert safetensors.recognises(tmp_path / "net")
    with pytest.raises(CheckpointError, match="damaged or cut off"):
        safetensors.read(tmp_path / "net", ReadOptions())


def test_a_file_without_weights_is_no_checkpoint(tmp_path: Path) -> None:
    save_file({}, tmp_path / "net")
    with pytest.raises(CheckpointError, match="a mapping without tensors, not a state_dict"):
        safetensors.read(tmp_path / "net", ReadOptions())


@pytest.mark.parametrize(("text", "epoch"), [("7", 7), ("-1", None), ("7.5", None), ("٣", None), ("9" * 30, None)])
def test_the_epoch_in_the_metadata_is_the_checkpoints(tmp_path: Path, text: str, epoch: int | None) -> None:
    save_file(state(), tmp_path / "net", metadata={"format": "pt", "epoch": text, "global_step": "40"})
    assert safetensors.stored_epoch(tmp_path / "net", ReadOptions()) == epoch
    assert safetensors.read(tmp_path / "net", ReadOptions()).epoch == epoch
    assert safetensors.stored_number(tmp_path / "net", "step", "global_step") == 40


@pytest.mark.parametrize("header", [b'{"__metadata__": [1]}', b'{"__metadata__": {"epoch": 3}}', b"[1]", b'{"a'])
def test_metadata_of_another_form_says_no_epoch(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "net").write_bytes(len(header).to_bytes(8, "little") + header)
    assert safetensors.stored_epoch(tmp_path / "net", ReadOptions()) is None


def entry(first: int, last: int, dtype: str = "F32", shape: str = "[1]") -> str:
    return f'{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{first},{last}]}}'


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (f'{{"a":{entry(0, 4)},"b":{entry(0, 4)}}}', "damaged or cut off"),
        (f'{{"a":{entry(0, 4)},"b":{entry(8, 12)}}}', "damaged or cut off"),
        (f'{{"a":{entry(0, 4)}}}', "damaged or cut off"),
        ('{{"a":{}}}'.format(entry(0, 12, shape="[3,-1]")), "damaged or cut off"),
        ('{{"a":{}}}'.format(entry(0, 12, shape="[1.5,2]")), "damaged or cut off"),
        ('{{"a":{}}}'.format(entry(0, 12, shape=f"[{2**62},{2**62}]")), "damaged or cut off"),
        ('{{"a":{}}}'.format(entry(0, 2**62, shape=f"[{2**60}]")), "damaged or cut off"),
        (f'{{"a":{entry(0, 4)},"a":{entry(4, 12)}}}', "stands in it twice"),
        ('{{"a":{}}}'.format(entry(0, 12, "F4", "[24]")), "numbers of type 'F4'"),
        ('{"a":5}', "damaged or cut off"),
    ],
)
def test_headers_that_are_not_of_their_file(tmp_path: Path, header: str, message: str) -> None:
    (tmp_path / "net").write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(12))
    with pytest.raises(CheckpointError, match=message):
        safetensors.read(tmp_path / "net", ReadOptions())
