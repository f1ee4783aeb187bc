"""Which layers of a net a recipe means."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from rfav_cli.errors import RecipeError
from rfav_cli.records import LayerRecipe, Recipe
from rfav_cli.training.penalties import TargetedRegularizer
from rfav_cli.training.targets import unwrapped
from tests.training.nets import Net


@pytest.mark.parametrize("name", ["0.conv1", "module.0.conv1", "_orig_mod.module.0.conv1", "0._orig_mod.conv1"])
def test_wrappers_are_no_part_of_a_name(name: str) -> None:
    for wrap in (
        nn.Sequential,
        lambda net: nn.Sequential(torch.compile(net, backend="eager")),
        lambda net: nn.DataParallel(nn.Sequential(net)),
    ):
        regularizer = TargetedRegularizer(wrap(Net()), {name: (0.0, 1.0)})
        regularizer()
        assert list(regularizer.values) == [f"decorrelation/{name}"]


class Refused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 1, 3)
        self.depthwise = nn.Conv2d(3, 3, 3, groups=3)
        self.narrow = nn.Conv2d(1, 8, 1)
        self.lazy = nn.LazyLinear(4)
        self.dense = self.alias = nn.Linear(3, 4)
        self.inner = nn.Sequential(self.dense)
        self.complex = nn.Linear(3, 4, dtype=torch.complex64)
        self.norm = nn.BatchNorm2d(3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "names no layer"),
        ({"conv9": (1, 0)}, "'conv9': this net has no such layer"),
        ({"norm": (1, 0)}, "'norm': this net has no such layer"),
        ({"a\x1b[31m": (1, 0)}, r"x1b\[31m': this net has no such layer"),
        ({"one": (1, 0)}, "'one': it has one channel"),
        ({"one": (0, 1)}, "'one': it has one filter, so"),
        ({"depthwise": (0, 1)}, "'depthwise': it has one filter a group"),
        ({"narrow": (0, 1)}, "'narrow': it has one weight a filter"),
        ({"lazy": (1, 0)}, "'lazy': .*lazy layer"),
        ({"complex": (1, 0)}, "'complex': its weights are complex"),
        ({"dense": (-1, 0)}, "lambda must be a finite number from 0 on, not -1"),
        ({"dense": (0, math.nan)}, "kappa must be a finite number from 0 on, not nan"),
        ({"dense": (math.inf, 0)}, "lambda must be a finite number from 0 on, not inf"),
        ({"dense": 1}, "a layer has no pair of numbers"),
        ({"dense": ("a", 0)}, "a layer has no pair of numbers"),
        ({"dense": (1, 0), "alias": (1, 0)}, "two of the recipe's names are of one layer"),
        ({"dense": (1, 0), "inner.0": (1, 0)}, "two of the recipe's names are of one layer"),
        (
            Recipe("", "", "", None, None, None, (LayerRecipe("dense", "", 1.0, 0.0, target="logits"),)),
            "'dense': target must be one of activation, scores, not 'logits'",
        ),
        ("paper:sr2", "(?s)'conv3': this net.*'conv4': this net.*'fc1': this net"),
        ("paper:sr9", "there is no recipe 'paper:sr9'"),
        ("there-is-none.toml", "cannot be read"),
    ],
)
def test_what_a_net_cannot_be_asked_for(given: Any, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        TargetedRegularizer(Refused(), given)


def test_the_error_lists_the_layers() -> None:
    with pytest.raises(RecipeError, match="The net's layers are: one, depthwise, narrow, lazy, dense, alias, inner"):
        TargetedRegularizer(Refused(), {"conv9": (1.0, 0.0)})
    with pytest.raises(RecipeError, match="The net's layers are: none"):
        TargetedRegularizer(nn.ReLU(), {"conv9": (1.0, 0.0)})
    many = nn.Sequential(*[nn.Linear(1, 2) for _ in range(100)])
    with pytest.raises(RecipeError, match="38, 39, and 60 more"):
        TargetedRegularizer(many, {"conv9": (1.0, 0.0)})


def test_what_is_wrapped_around_a_net_is_taken_off() -> None:
    net = Net()
    assert unwrapped(nn.DataParallel(torch.compile(net, backend="eager"))) is net
    assert unwrapped(net) is net
