"""What reads activations while a net trains, with the batch normalisation that follows folded in."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from rfav_cli import equations
from rfav_cli.errors import RecipeError
from rfav_cli.training.penalties import TargetedRegularizer
from tests.training.nets import BREAKS_THE_GRAPH, Normed, batch

NORMED = {"conv1": (0.1, 0.0), "conv2": (0.1, 0.0)}


def folded(net: Normed, images: torch.Tensor, with_bias: bool) -> torch.Tensor:
    """The penalty of conv1 by definition."""
    output = net.conv1(images)
    deviation = (
        (output.var((0, 2, 3), unbiased=False) if net.norm1.training else net.norm1.running_var).add(1e-5).sqrt()
    )
    activation = output if with_bias else output - net.conv1.bias[:, None, None]
    return equations.sparsity_penalty(activation * (net.norm1.weight / deviation)[:, None, None], 1, 0.1)


@BREAKS_THE_GRAPH
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_normalisation_that_takes_the_activation_is_folded_in(frozen: bool, with_bias: bool, compiled: bool) -> None:
    net, images = Normed(), batch()[0]
    net.norm1.train(not frozen)
    net.norm1.running_var.uniform_(0.5, 2.0)
    plain = TargetedRegularizer(net, NORMED, with_bias=with_bias)
    net(images)
    plain()
    plain.close()
    regularizer = TargetedRegularizer(net, NORMED, with_bias=with_bias, fold_norm=True)
    twin = copy.deepcopy(net)
    (torch.compile(net, backend="eager") if compiled else net)(images)
    regularizer()
    assert regularizer.values["sparsity/conv1"] == pytest.approx(folded(twin, images, with_bias).item(), rel=1e-5)
    assert regularizer.values["sparsity/conv2"] == pytest.approx(plain.values["sparsity/conv2"], rel=1e-5)


@pytest.mark.parametrize("frozen", [False, True])
def test_gradients_of_a_folded_penalty(frozen: bool) -> None:
    net, images = Normed(), batch()[0]
    net.norm1.train(not frozen)
    twin = copy.deepcopy(net)
    regularizer = TargetedRegularizer(net, {"conv1": (0.1, 0.0)}, fold_norm=True)
    net(images)
    regularizer().backward()
    folded(twin, images, with_bias=False).backward()
    for found, expected in zip(
        (*net.conv1.parameters(), net.norm1.weight), (*twin.conv1.parameters(), twin.norm1.weight), strict=True
    ):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-6)


def test_a_folded_penalty_cannot_be_paid_by_smaller_weights() -> None:
    net, images = Normed(), batch()[0]
    for fold, pays in ((False, True), (True, False)):
        net.zero_grad()
        with TargetedRegularizer(net, {"conv1": (0.1, 0.0)}, fold_norm=fold) as regularizer:
            net(images)
            regularizer().backward()
        along = functional.cosine_similarity(net.conv1.weight.grad.flatten(), net.conv1.weight.detach().flatten(), 0)
        assert (along.item() > 0.1) is pays
        assert pays or abs(along.item()) < 1e-3


def test_a_sample_without_a_batch_is_an_error() -> None:
    net = nn.Conv2d(3, 4, 3)
    regularizer = TargetedRegularizer(net, {"": (1.0, 0.0)})
    with pytest.raises(RecipeError, match="no axis for the batch"):
        net(torch.zeros(3, 8, 8))
    net(torch.zeros(0, 3, 8, 8))
    assert regularizer().item() == 0
