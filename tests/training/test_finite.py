"""What is not finite, and where that began."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rfav_cli.training.finite import broken_weights, first_not_finite, is_finite
from rfav_cli.training.penalties import TargetedRegularizer
from tests.training.test_scripted import ALL, Small, program, samples


def test_the_first_module_that_is_not_finite_is_found() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    images = torch.ones(3, 2)
    assert first_not_finite(net, lambda: net(images)) == ""
    net[2].bias.data[1] = torch.inf
    assert first_not_finite(net, lambda: net(images)) == "the bias of 2"
    net[0].weight.data[:] = 3e38
    assert first_not_finite(net, lambda: net(images)) == "the output of 0"
    assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
def test_where_a_program_went_wrong_first() -> None:
    module = program(Small().eval())
    TargetedRegularizer(module, ALL)

    def first() -> str:
        return first_not_finite(module, lambda: module(samples(2)))

    assert first() == ""
    with torch.no_grad():
        module.twice.bias[0] = torch.inf
    assert first() == "the output of twice"
    with torch.no_grad():
        module.conv.weight[0] = torch.nan
    assert first() == "the weight of conv"


def test_parameters_that_are_not_finite_come_before_buffers() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert broken_weights(net) == ()
    net[1].running_mean[0] = torch.inf
    net[1].weight.data[1] = torch.nan
    assert broken_weights(net) == ("1.weight", "1.running_mean")


def test_whole_numbers_are_always_finite() -> None:
    assert is_finite(torch.tensor([2**62]))
    assert not is_finite(torch.tensor([0.0, -torch.inf]))
