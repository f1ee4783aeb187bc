from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from rfav_cli.checkpoints.formats import state_dict
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import Marker, state, write_legacy, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_weights_are_read_as_they_are(tmp_path: Path, write: Callable[[Path, Any], None]) -> None:
    weights = state()
    write(tmp_path / "net.pt", {"optimizer": {"state": weights}, "model": weights})
    (candidate,) = state_dict.read(tmp_path / "net.pt", ReadOptions()).content
    assert candidate.name == "model"
    assert list(candidate.weights) == list(weights)
    assert all(torch.equal(candidate.weights[name], weight) for name, weight in weights.items())


@pytest.mark.parametrize("epoch", [3, 3.0, np.int64(3), np.float32(3), np.array(3)[()], torch.tensor(3)])
@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_numpy_scalars_are_read(tmp_path: Path, write: Callable[[Path, Any], None], epoch: object) -> None:
    write(tmp_path / "net.pt", {"model": state(), "epoch": epoch, "loss": np.float64(0.5)})
    assert state_dict.read(tmp_path / "net.pt", ReadOptions()).epoch == 3
    assert state_dict.stored_epoch(tmp_path / "net.pt", ReadOptions()) == 3


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, write: Callable[[Path, Any], None]) -> None:
    write(tmp_path / "bad.pt", {"weight": torch.ones(1), "payload": Marker(tmp_path / "marker")})
    with pytest.raises(CheckpointError, match=r"needs (posix|nt)\.mkdir") as caught:
        state_dict.read(tmp_path / "bad.pt", ReadOptions())
    assert "marker" not in str(caught.value)
    assert "--i-trust-this-pickle" in caught.value.remedy
    assert not (tmp_path / "marker").exists()
    state_dict.read(tmp_path / "bad.pt", ReadOptions(trust_pickle=True))
    assert (tmp_path / "marker").exists()


def test_a_trusted_whole_net_gives_its_state_dict(tmp_path: Path) -> None:
    torch.save({"net": nn.Linear(2, 3), "args": argparse.Namespace()}, tmp_path / "net.pt")
    payload = state_dict.read(tmp_path / "net.pt", ReadOptions(trust_pickle=True))
    assert [(c.name, list(c.weights)) for c in payload.content] == [("net", ["weight", "bias"])]
