"""Whether a net ends in a sigmoid."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rfav_cli.activations.networks.eager import open_fresh
from rfav_cli.measure.sigmoid import Ending, look_for_sigmoid
from tests.measure.runs import opening


def ending(net: nn.Module, images: torch.Tensor, classifier: str = "0") -> Ending:
    network = open_fresh(lambda: net.eval(), opening())
    network.trace(images.clone())
    with torch.no_grad():
        return look_for_sigmoid(network, images, net(images), classifier)


def net_of(*more: nn.Module, bias: float = 0.4) -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 2), *more)
    with torch.no_grad():
        net[0].weight.mul_(0.1)  # scores that lie between 0 and 1, by their bias
        net[0].bias.fill_(bias)
    return net


IMAGES = torch.linspace(-1, 1, 12).reshape(4, 3)


def test_scores_between_0_and_1_are_no_probabilities() -> None:
    assert ending(net_of(), IMAGES) == Ending()


def test_the_sigmoid_of_a_layer_is_one() -> None:
    assert ending(net_of(nn.Sigmoid()), IMAGES) == Ending(sigmoid=True)


def test_maps_are_compared_in_either_order() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Sigmoid())
    assert ending(net, torch.randn(4, 1, 6, 6)).sigmoid


def test_scores_beyond_0_and_1_are_none() -> None:
    assert ending(net_of(bias=-2), IMAGES) == Ending()


@pytest.mark.parametrize("classifier", ["", "0"])
def test_where_the_layer_does_not_tell_the_range_does_and_that_is_doubted(classifier: str) -> None:
    found = ending(net_of(nn.Hardsigmoid()), IMAGES, classifier)
    assert found.sigmoid
    assert [doubt.kind for doubt in found.doubts] == ["output"]
    assert "between 0 and 1" in found.notes[0]
