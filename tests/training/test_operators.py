"""Operators of a TorchScript graph that apply weights, and ours that take entropies."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import nn

from rfav_cli import equations
from rfav_cli.training.operators import KINDS, kind_of, norm_of, weight_of


def graph_of(module: nn.Module, images: torch.Tensor) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.jit.trace(module.train(), images, check_trace=False)
        return program.inlined_graph


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(3, 4, 3), (2, 3, 8)),
        (nn.Conv2d(3, 4, 3, padding="same"), (2, 3, 8, 8)),
        (nn.ConvTranspose2d(3, 4, 3), (2, 3, 8, 8)),
        (nn.Linear(3, 4), (2, 3)),
    ],
)
def test_the_kind_of_a_layer_is_told_by_its_operator(layer: nn.Module, shape: tuple[int, ...]) -> None:
    (node,) = [node for node in graph_of(layer, torch.zeros(shape)).nodes() if node.kind() in KINDS]
    assert weight_of(node).debugName().startswith("weight")
    assert kind_of(node, layer.weight) == type(layer).__name__


def test_a_normalisation_is_that_which_takes_the_values_as_they_are() -> None:
    def of(*between: nn.Module) -> bool:
        graph = graph_of(nn.Sequential(nn.Conv2d(3, 4, 3), *between, nn.BatchNorm2d(4)), torch.rand(2, 3, 6, 6))
        return norm_of(next(node for node in graph.nodes() if node.kind() in KINDS)) is not None

    assert of()
    assert not of(nn.ReLU())
    assert not of(nn.ReLU(inplace=True))


def test_entropies_are_those_of_the_equations() -> None:
    values, bias = torch.randn(3, 5, 2, 2), torch.randn(5)
    expected = equations.sparsity_penalty(values - bias[:, None, None], 1, 1.0)
    assert torch.ops.rfav.entropy(values, 1, 4, bias).item() == pytest.approx(-expected.item(), rel=1e-5)
    variance, gamma = torch.rand(5) + 0.5, torch.rand(5)
    scaled = (values - bias[:, None, None]) * (gamma / (variance + 1e-5).sqrt())[:, None, None]
    folded = torch.ops.rfav.folded_entropy(values, 1, 4, bias, gamma, variance, False, 1e-5)
    assert folded.item() == pytest.approx(-equations.sparsity_penalty(scaled, 1, 1.0).item(), rel=1e-5)


def test_values_without_a_batch_give_their_shape() -> None:
    assert torch.ops.rfav.entropy(torch.zeros(5, 2, 3), 1, 4, None).tolist() == [5, 2, 3]
