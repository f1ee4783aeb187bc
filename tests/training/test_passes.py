"""Which forwards a penalty is of, in loops as people write them."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from rfav_cli.errors import RecipeError
from rfav_cli.training.penalties import TargetedRegularizer
from tests.training.nets import Net, batch, penalties

ONE = {"conv2": (0.1, 0.0)}


def right(net: nn.Module) -> float:
    return penalties(net, batch()[0], ONE)["sparsity/conv2"]


@pytest.fixture
def regularized() -> tuple[Net, TargetedRegularizer, torch.Tensor]:
    net = Net()
    return net, TargetedRegularizer(net, ONE), batch()[0]


@pytest.mark.parametrize("backwards", [0, 1])
def test_forwards_that_no_call_follows_are_forgotten(regularized: Any, backwards: int) -> None:
    net, regularizer, images = regularized
    for _ in range(5):
        output = net(images)
        for _ in range(backwards):
            output.sum().backward()
    del output
    net(images)
    assert regularizer().item() == pytest.approx(right(net), rel=1e-5)


def test_a_forward_that_another_backward_went_through_is_no_part_of_the_next_penalty(regularized: Any) -> None:
    """As in the step of a generator, which runs the discriminator."""
    net, regularizer, images = regularized
    generator = nn.Conv2d(3, 3, 1)
    (net(images).mean() + regularizer()).backward()
    (-net(generator(images)).mean()).backward()
    net(images)
    penalty = regularizer()
    assert penalty.item() == pytest.approx(right(net), rel=1e-5)
    penalty.backward()


def test_a_call_after_the_backward_says_that_it_comes_too_late(regularized: Any) -> None:
    net, regularizer, images = regularized
    loss = functional.cross_entropy(net(images), batch()[1])
    loss.backward()
    with pytest.raises(RecipeError, match="no forward with gradients"):
        regularizer()


def test_a_forward_of_other_weights_than_the_net_has_is_forgotten(regularized: Any) -> None:
    net, regularizer, images = regularized
    before = net(images)
    with torch.no_grad():
        net.conv2.weight.mul_(2)
    net(images)
    assert regularizer().item() == pytest.approx(right(net), rel=1e-5)
    del before


def test_outputs_that_are_held_are_added_up_also_within_dicts(regularized: Any) -> None:
    net, regularizer, images = regularized

    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: torch.Tensor) -> dict[str, list[torch.Tensor]]:
            return {"scores": [self.net(x)]}

    regularizer.close()
    named = Named()
    regularizer = TargetedRegularizer(named, {"net.conv2": (0.1, 0.0)})
    held = [named(images), named(images)]
    with pytest.warns(UserWarning, match="the penalties of 2 forwards are added up"):
        assert regularizer().item() == pytest.approx(2 * right(net), rel=1e-5)
    held = [named(images), named(images)]
    assert regularizer().item() == pytest.approx(2 * right(net), rel=1e-5)  # said once
    held.clear()


def test_nothing_of_forwards_that_are_gone_is_kept(regularized: Any) -> None:
    net, regularizer, images = regularized
    kept: list[Any] = []

    class Node(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            kept.append(weakref.ref(ctx))
            return x.clone()

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            return gradient

    net.conv2.register_forward_pre_hook(lambda _, inputs: (Node.apply(inputs[0]),))
    for _ in range(4):
        net(images)
    gc.collect()
    alive = sum(reference() is not None for reference in kept)
    assert alive <= 2 * 2  # of the last two forwards, each with two uses
    regularizer()
    gc.collect()
    assert not any(reference() is not None for reference in kept)


def test_two_regularizers_of_one_net_do_not_get_in_each_others_way(regularized: Any) -> None:
    net, first, images = regularized
    second = TargetedRegularizer(net, {"conv1": (0.1, 0.0)})
    for _ in range(3):
        net(images)
    assert first().item() == pytest.approx(right(net), rel=1e-5)
    expected = penalties(net, images, {"conv1": (0.1, 0.0)})
    second()
    assert second.values == pytest.approx(expected, rel=1e-5)


def test_copies_and_pickles_take_no_waiting_forward_with_them(regularized: Any) -> None:
    net, regularizer, images = regularized
    net(images)
    copy.deepcopy(net)(images)
    other, taken_along = pickle.loads(pickle.dumps((net, regularizer)))
    other(images)
    assert taken_along().item() == regularizer().item() == pytest.approx(right(net), rel=1e-5)


def test_inside_functorch_it_is_refused_in_words(regularized: Any) -> None:
    net, regularizer, images = regularized
    weights = {name: weight.detach() for name, weight in net.named_parameters()}

    def loss(given: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.func.functional_call(net, given, (images,)).sum() + regularizer()

    with pytest.raises(RecipeError, match=r"inside torch.func"):
        torch.func.grad(loss)(weights)
