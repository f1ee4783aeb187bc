"""Layers that are replaced while a net trains."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rfav_cli.errors import RecipeError
from rfav_cli.training.penalties import TargetedRegularizer
from rfav_cli.training.places import Places
from rfav_cli.training.targets import find_targets
from tests.training.nets import RECIPE, Net, batch
from tests.training.test_penalties import recipe


def test_a_layer_is_gone_only_where_it_is_nowhere_in_the_net() -> None:
    net = Net()
    places = Places(net, find_targets(net, recipe(**RECIPE)))
    assert places.gone() == []
    net.conv1 = nn.Sequential(net.conv1)
    assert places.gone() == []
    net.conv1 = net.conv1[0]
    assert places.gone() == []
    net.fc1 = nn.Linear(8, 16)
    assert places.gone() == ["fc1"]
    assert places.gone() == []


def test_the_net_itself_and_what_is_held_twice_stay() -> None:
    layer = nn.Linear(3, 4)
    assert Places(layer, find_targets(layer, recipe(**{"": (0.1, 0.0)}))).gone() == []
    net = nn.ModuleDict({"one": layer, "other": nn.Sequential(layer)})
    places = Places(net, find_targets(net, recipe(one=(0.1, 0.0))))
    del net["one"]
    assert places.gone() == []


def test_a_layer_that_was_replaced_is_said_and_has_no_penalty() -> None:
    net, (images, _) = Net(), batch()
    regularizer = TargetedRegularizer(net, RECIPE)
    net(images)
    regularizer()
    net.conv2 = nn.Conv2d(8, 8, 3, padding=1, groups=2)
    net(images)
    with pytest.warns(UserWarning, match="not in the net any more, and without a penalty: conv2"):
        regularizer()
    assert set(regularizer.values) == {"sparsity/conv1", "decorrelation/conv1", "sparsity/fc1"}


@pytest.mark.parametrize("pair", [(0.1, 0.0), (0.0, 1.0)])
def test_where_all_were_replaced_it_is_an_error(pair: tuple[float, float]) -> None:
    net, (images, _) = Net(), batch()
    regularizer = TargetedRegularizer(net, {"conv2": pair})
    net.conv2 = nn.Conv2d(8, 8, 3, padding=1, groups=2)
    net(images)
    with pytest.raises(RecipeError, match="not in the net any more: conv2"):
        regularizer()


def test_frozen_layers_are_said_once() -> None:
    net, (images, _) = Net(), batch()
    for layer in (net.conv1, net.conv2):
        layer.requires_grad_(False)
    regularizer = TargetedRegularizer(net, {"conv2": (0.1, 1.0), "fc1": (0.1, 0.0)})
    net(images)
    with pytest.warns(UserWarning, match="without a gradient: sparsity/conv2, decorrelation/conv2"):
        regularizer()
    net(images)
    assert regularizer().requires_grad
    net.conv1.requires_grad_(True)
    net(images)
    with pytest.warns(UserWarning, match="without a gradient: decorrelation/conv2"):
        regularizer()


def test_weights_that_compute_a_gradient_pass_in_silence() -> None:
    net, (images, _) = Net(), batch()
    regularizer = TargetedRegularizer(net, RECIPE)
    with torch.enable_grad():
        net(images)
        regularizer().backward()
