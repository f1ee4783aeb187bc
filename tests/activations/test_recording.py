"""Two forwards, and by how much they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.recording import COARSE, OUTPUT, Recording, differences, record
from tests.activations.examined import Base, Dropout, InPlace, open_form

if TYPE_CHECKING:
    from pathlib import Path


def recording(**uses: Tensor) -> Recording:
    return Recording(2, {name: [values] for name, values in uses.items()})


def test_the_difference_is_that_of_float64() -> None:
    first, second = torch.randn(2, 50), torch.randn(2, 50)
    a, b = first.numpy().astype(np.float64), second.numpy().astype(np.float64)
    expected = math.sqrt(((a - b) ** 2).mean() / (a**2).mean())
    assert differences(recording(fc=first), recording(fc=second)) == {"fc": pytest.approx(expected, rel=1e-6)}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([[1.0], [math.nan]], [[1.0], [math.nan]], 0.0),
        ([[1.0], [math.inf]], [[1.0], [math.inf]], 0.0),
        ([[1.0], [math.nan]], [[1.0], [2.0]], math.inf),
        ([[0.0], [0.0]], [[0.0], [0.0]], 0.0),
        ([[3e38], [1.0]], [[3e38], [1.0]], 0.0),
        ([[1.0], [1.0]], [[1.0, 1.0], [1.0, 1.0]], math.inf),
    ],
)
def test_what_is_no_number(first: Any, second: Any, expected: float) -> None:
    found = differences(recording(fc=torch.tensor(first)), recording(fc=torch.tensor(second)))
    assert found == {"fc": expected}


def test_a_layer_of_nothing_but_rounding_does_not_differ() -> None:
    large, small = torch.randn(2, 50), torch.randn(2, 50) * 1e-7
    first = recording(a=large, b=large, c=small)
    assert differences(first, recording(a=large, b=large, c=-small))["c"] < 1e-3
    assert differences(first, recording(a=large, b=large + small, c=small))["b"] < 1e-6


def test_half_precision_is_coarse_from_there_on() -> None:
    a, b = torch.ones(2, 4), torch.full((2, 4), 1.1)
    before, after = ("a", "half", "c"), {"a": b, "half": b.bfloat16(), "c": b}
    first = recording(a=a, half=a.bfloat16(), c=a)
    found = differences(first, recording(**after))
    assert tuple(found) == before
    assert found["a"] == pytest.approx(0.1, rel=1e-3)
    assert found["c"] == pytest.approx(0.1 / COARSE, rel=1e-3)


def test_what_is_recorded(tmp_path: Path) -> None:
    samples = torch.rand(4, 3, 8, 8)
    network = open_form(InPlace(), "eager", samples, tmp_path)
    before = samples.clone()
    found = record(network, samples)
    assert torch.equal(samples, before)
    assert list(found.uses) == ["conv1", "conv2", "fc1", "fc2", OUTPUT]
    assert torch.equal(found.uses["fc2"][0], found.uses[OUTPUT][0])
    assert found.reached_by_all("conv1", 1)
    assert not found.reached_by_all("conv1", 2)
    assert (found.share("conv1"), found.share("none")) == (1, 0)
    assert [value.shape for value in found.rows(slice(1, 3)).uses["fc2"]] == [(2, 10)]


def test_seeds_decide_what_is_drawn(tmp_path: Path) -> None:
    samples = torch.rand(4, 3, 8, 8)
    network = open_form(Dropout(), "eager", samples, tmp_path)
    first, same, other = (record(network, samples, seed) for seed in (0, 0, 1))
    assert max(differences(first, same).values()) == 0
    assert differences(first, other)["fc1"] > 0.1


def test_outputs_of_any_kind(tmp_path: Path) -> None:
    @dataclass
    class Output:
        logits: Tensor
        parts: dict[str, Any]

    class Rich(Base):
        def end(self, x: Tensor) -> Any:
            return Output(x, {"twice": [x * 2], "classes": x.argmax(1), "name": "rich"})

    found = record(open_form(Rich(), "eager", torch.rand(2, 3, 8, 8), tmp_path), torch.rand(2, 3, 8, 8))
    assert [len(value) for value in found.uses[OUTPUT]] == [2, 2]
    assert torch.equal(found.uses[OUTPUT][0] * 2, found.uses[OUTPUT][1])


def test_a_layer_without_tensors_is_none(tmp_path: Path) -> None:
    class Paired(nn.Linear):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x), "beside"

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.paired, self.fc = Paired(3, 3), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.paired(x)[0])

    assert list(record(open_form(Net(), "eager", torch.rand(2, 3), tmp_path), torch.rand(2, 3)).uses) == ["fc", OUTPUT]
