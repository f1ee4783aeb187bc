"""What is weights and what is not, told by content."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from rfav_cli.checkpoints.contents import comparable, look_into
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.runs import adam, save, weights

if TYPE_CHECKING:
    from pathlib import Path

READING = ReadOptions()


@pytest.mark.parametrize(
    ("content", "other"),
    [
        (weights(), ""),
        ({"model": weights(), "optimizer": adam(), "epoch": 3}, ""),
        ({"epoch": 1, "net": {"scale": torch.ones(2, 2)}}, ""),
        ({name: value.to(torch.int8) for name, value in weights().items()}, ""),
        (adam(), "optimizer state"),
        (
            {"state": {"conv.weight": {"exp_avg": torch.ones(2, 2)}}, "param_groups": [{"lr": 0.1}]},
            "optimizer state",
        ),
        ({"last_epoch": 3, "base_lrs": [0.1], "_step_count": 4}, "scheduler state"),
        ({"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5, "_growth_tracker": 0}, "scaler state"),
        ({"scale": torch.tensor(65536.0), "_growth_tracker": torch.tensor(0)}, "scaler state"),
        ({"cpu": torch.get_rng_state(), "python": random.Random(0).getstate()}, "state of random generators"),
        (torch.get_rng_state(), "no weights"),
        ({"conv.weight.grad": torch.ones(2, 2)}, "gradients"),
        ({"step": 3, "gradients": weights()}, "gradients"),
        ([torch.ones(2, 2)], "no weights"),
        ({"images": torch.ones(5, 3, 2, 2), "labels": torch.zeros(5)}, "no weights"),
        ({"loss": torch.tensor(0.3), "accuracy": torch.tensor(0.9)}, "no weights"),
        ({"history": [0.1, 0.2]}, "no weights"),
    ],
)
def test_weights_are_told_from_the_rest_of_a_training(tmp_path: Path, content: Any, other: str) -> None:
    assert look_into(save(tmp_path / "x.pt", content), READING).other == other
    with comparable(tmp_path / "x.pt", READING) as found:
        assert bool(found.state_dicts) == (not other)


def test_gradients_that_look_like_weights_are_told_by_their_name(tmp_path: Path) -> None:
    assert look_into(save(tmp_path / "grads_3.pt", weights()), READING).other == "gradients"
    assert look_into(save(tmp_path / "gradient_boost_3.pt", weights()), READING).other == "gradients"
    assert look_into(save(tmp_path / "gradual_3.pt", weights()), READING).other == ""


def test_an_archive_without_a_tensor_needs_no_reading(tmp_path: Path) -> None:
    class Arguments:
        def __init__(self) -> None:
            self.rate = 0.1

    globals()["Arguments"], Arguments.__qualname__ = Arguments, "Arguments"
    try:
        path = save(tmp_path / "training_args.bin", Arguments())
    finally:
        del globals()["Arguments"]
    assert look_into(path, READING).other in ("no tensors", "no weights")


@pytest.mark.parametrize("name", ["global_step", "step", "iteration", "iter"])
def test_epoch_step_and_shapes_are_read(tmp_path: Path, name: str) -> None:
    content = {"epoch": np.int64(2), name: 500, "state_dict": weights(), "state_dict_ema": weights(1)}
    inside = look_into(save(tmp_path / "x.pt", content), READING)
    assert (inside.epoch, inside.step) == (2, 500)
    assert inside.shapes["conv.weight"] == (4, 3, 2, 2)


@pytest.mark.parametrize("value", [-1, 1.5, True, "7", None, 2**40])
def test_what_is_no_step(tmp_path: Path, value: object) -> None:
    assert look_into(save(tmp_path / "x.pt", {"step": value, "model": weights()}), READING).step is None


def test_a_header_gives_names_and_shapes(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file(weights(), tmp_path / "x.safetensors", metadata={"format": "pt"})
    assert look_into(tmp_path / "x.safetensors", READING).shapes == {
        name: tuple(value.shape) for name, value in weights().items()
    }
    header = b'{"a": [1], "b'
    (tmp_path / "cut.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert look_into(tmp_path / "cut.safetensors", READING).shapes == {}


@pytest.mark.parametrize(
    ("state", "step"), [({"global_step": 50}, 50), ({"global_step": "50"}, None), ([], None), ("{", None)]
)
def test_a_folder_says_its_step(tmp_path: Path, state: object, step: int | None) -> None:
    folder = tmp_path / "checkpoint-50"
    save(folder / "pytorch_model.bin", weights())
    (folder / "trainer_state.json").write_text(state if isinstance(state, str) else json.dumps(state))
    assert look_into(folder, READING).step == step


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_text("nothing")
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        look_into(tmp_path / "x.pt", READING)
