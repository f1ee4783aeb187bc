"""Kappa of the weights that a forward used."""

from __future__ import annotations

import copy

import pytest
import torch

from rfav_cli.equations import decorrelation_penalty
from rfav_cli.training.penalties import TargetedRegularizer
from tests.training.nets import Net, batch

KAPPA = {"conv1": (0.0, 1.0)}


def test_kappa_is_about_the_weights_that_stood_in_for_the_nets_own() -> None:
    net, (images, _) = Net(), batch()
    regularizer = TargetedRegularizer(net, KAPPA | {"conv2": (0.1, 0.0)}, squared=False)
    given = {name: (weight.detach() ** 3).requires_grad_() for name, weight in net.named_parameters()}
    output = torch.func.functional_call(net, given, (images,))
    with pytest.warns(UserWarning, match="took the place of its own"):
        regularizer().backward()
    expected = decorrelation_penalty(given["conv1.weight"].flatten(1), False, "pearson").item()
    assert regularizer.values["decorrelation/conv1"] == pytest.approx(expected, rel=1e-5)
    assert given["conv1.weight"].grad is not None
    assert net.conv1.weight.grad is None
    del output
    net(images)
    regularizer()
    own = decorrelation_penalty(net.conv1.weight.flatten(1), False, "pearson").item()
    assert regularizer.values["decorrelation/conv1"] == pytest.approx(own, rel=1e-5)


def test_validation_and_copies_leave_the_weights_alone() -> None:
    net, (images, _) = Net(), batch()
    regularizer = TargetedRegularizer(net, KAPPA)
    expected = regularizer().item()
    with torch.no_grad():
        torch.func.functional_call(net, {"conv1.weight": net.conv1.weight * 2 + 1}, (images,))
    copy.deepcopy(net)(images)
    assert regularizer().item() == expected
