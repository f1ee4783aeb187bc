"""A nonlinearity is a value: what is the same function for a statistic is the same record."""

from __future__ import annotations

import math

import torch

from rfav_cli.records import Nonlinearity
from rfav_cli.statistics.dead import alive_filters

RELU = Nonlinearity("relu", ((-math.inf, 0.0),))


def test_uses_of_one_layer_are_told_apart_by_their_functions() -> None:
    assert Nonlinearity("relu", ((-math.inf, 0.0),)) == RELU
    assert len({RELU, Nonlinearity("gelu", ((0.0, 0.0),)), Nonlinearity("sigmoid", ())}) == 3


def test_an_interval_holds_both_of_its_ends() -> None:
    at_the_ends = torch.tensor([[-3.0, 0.0, -3.5, 1.0], [0.0, 0.0, -4.0, 0.0]])
    hardswish = Nonlinearity("hardswish", ((-math.inf, -3.0), (0.0, 0.0)))
    assert alive_filters(at_the_ends, hardswish).tolist() == [False, False, False, True]
    assert alive_filters(torch.tensor([[0.0, 1e-30, -1.0]]), RELU).tolist() == [False, True, False]
    assert alive_filters(torch.zeros(1, 2), Nonlinearity("sigmoid", ())).tolist() == [True, True]
