from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rfav_cli.activations.foreign_weights import first_names, misfit
from rfav_cli.activations.matching import readings
from rfav_cli.activations.putting import Outcome, put
from rfav_cli.records import Candidate

FILE = Path("net.pt")


def make(outputs: int = 5) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, outputs))


def said(weights: dict[str, Any]) -> tuple[str, str]:
    """What is wrong with weights for the net, and what to do."""
    net = make()
    expected = net.state_dict()
    reading = readings(expected, Candidate("", weights))[0]
    error = misfit(FILE, put(net, reading.fill(expected, weights)), reading, weights, expected)
    return error.what, error.remedy


def test_all_that_differs_is_counted() -> None:
    state = dict(make().state_dict()) | {"2.weight": torch.zeros(5, 9), "3.weight": torch.ones(2)}
    del state["0.bias"]
    what, remedy = said(state)
    assert what == (
        "net.pt: not a checkpoint of this net: 1 missing: 0.bias; 1 unexpected: 3.weight; "
        "1 of another shape: 2.weight 5x9, the net has 5x16"
    )
    assert "--model" in remedy


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_net_of_other_classes_is_told_so(prefix: str) -> None:
    what, remedy = said({prefix + name: value for name, value in make(7).state_dict().items()})
    assert "2 of another shape: 2.weight 7x16, the net has 5x16, 2.bias 7, the net has 5" in what
    assert what.endswith("all else fits: the last layer, '2', has 7 outputs in the file and 5 in the net")
    assert "7 outputs" in remedy


@pytest.mark.parametrize(
    "change",
    [
        {"2.weight": torch.zeros(7, 16)},
        {"2.weight": torch.zeros(7, 9), "2.bias": torch.zeros(7)},
        {"2.weight": torch.zeros(7, 16), "2.bias": torch.zeros(8)},
        {"0.weight": torch.zeros(6, 3, 3, 3), "0.bias": torch.zeros(6)},
        {"2.weight": torch.zeros(()), "2.bias": torch.zeros(())},
    ],
)
def test_other_shapes_are_no_other_classes(change: dict[str, torch.Tensor]) -> None:
    what, _ = said(dict(make().state_dict()) | change)
    assert "of another shape" in what
    assert "all else fits" not in what


def test_types_come_by_name() -> None:
    what, remedy = said({name: value.to(torch.int8) for name, value in make().state_dict().items()})
    assert what == "net.pt: weights of another type: 0.weight is int8, the net's is float32 (3 more are alike)"
    assert "floating-point" in remedy


def test_the_nets_own_error_is_passed_on() -> None:
    reading = readings({}, Candidate("", {}))[0]
    assert misfit(FILE, Outcome(error="KeyError: 'odd'"), reading, {}, {}).what == "net.pt: KeyError: 'odd'"


def test_names_are_made_safe_and_cut() -> None:
    text = first_names(f"\x1b[31m{i}\n" for i in range(9))
    assert text.isprintable()
    assert text.endswith("3\\n, …")
