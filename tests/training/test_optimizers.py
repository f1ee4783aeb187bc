"""Optimizers, and the numbers that they are made with."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from rfav_cli.errors import ModelError
from rfav_cli.options import Hyperparameters
from rfav_cli.training.learning_rate import rate_of
from rfav_cli.training.optimizers import make_optimizer
from rfav_cli.training.settings import check

PAPER = Hyperparameters()


def stepped(how: Hyperparameters, gradients: list[float]) -> float:
    """Where a weight of 1 gets to."""
    weight = nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = make_optimizer(how, [weight])
    for gradient in gradients:
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
    return weight.item()


def test_the_default_is_the_papers() -> None:
    assert rate_of(PAPER) == 0.01
    assert stepped(PAPER, [2.0, 3.0]) == pytest.approx(1 - 0.02 - 0.03)


def test_momentum_and_weight_decay() -> None:
    assert stepped(replace(PAPER, momentum=0.9), [1.0, 1.0]) == pytest.approx(1 - 0.01 - 0.01 * 1.9)
    assert stepped(replace(PAPER, weight_decay=0.5), [0.0]) == pytest.approx(1 - 0.01 * 0.5)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_goes_by_its_rate_and_decays_in_its_own_way(name: str) -> None:
    how = replace(PAPER, optimizer=name)
    assert rate_of(how) == 0.001
    assert stepped(how, [5.0]) == pytest.approx(1 - 0.001, abs=1e-6)
    decayed = stepped(replace(how, weight_decay=0.1), [0.0])
    assert decayed == pytest.approx(1 - 0.001 * (1 if name == "adam" else 0.1), abs=1e-6)


def test_frozen_weights_stay_out() -> None:
    net = nn.Linear(2, 2)
    net.weight.requires_grad = False
    assert make_optimizer(PAPER, net.parameters()).param_groups[0]["params"] == [net.bias]
    with pytest.raises(ModelError, match="no parameters"):
        make_optimizer(PAPER, [net.weight])


def test_the_largest_numbers_are_those_that_torch_takes() -> None:
    how = check(replace(PAPER, seed=2**64 - 1, learning_rate=1e30, weight_decay=1e30))
    torch.manual_seed(how.seed)
    net = nn.Linear(2, 2)
    net(torch.ones(1, 2)).sum().backward()
    make_optimizer(how, net.parameters()).step()
