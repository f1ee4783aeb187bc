"""A layer with a penalty, and its weight as the forward had it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from rfav_cli.training.target import Target, weight_of


def test_filters_are_rows_a_group_and_gradients_reach_them() -> None:
    layer = nn.Conv2d(4, 6, 3, groups=2)
    rows = Target("conv", layer, "Conv2d", 0.1, 1.0).weights()
    assert rows.shape == (2, 3, 18)
    assert torch.equal(rows.reshape(6, 18), layer.weight.reshape(6, 18))
    rows.sum().backward()
    assert layer.weight.grad is not None


def test_looking_at_a_parametrised_weight_takes_no_step_on() -> None:
    layer = spectral_norm(nn.Linear(5, 4)).train()
    before = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    weight_of(layer)
    assert all(torch.equal(before[name], buffer) for name, buffer in layer.named_buffers())
    assert all(module.training for module in layer.modules())
