from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from rfav_cli.activations.layer_kinds import channel_dim, filter_rows, positions, problem_of_shapes


def rows_by_definition(layer: nn.Module, groups: int, channels: int) -> Tensor:
    """The slow, obvious twin: what an output channel depends on, one at a time, out of the layer's own weight."""
    weight = layer.weight.detach()
    each = channels // groups
    rows = torch.empty(groups, each, weight.numel() // channels)
    for group in range(groups):
        for d in range(each):
            if isinstance(layer, nn.modules.conv._ConvTransposeNd):
                inputs = weight.shape[0] // groups
                filters = [weight[group * inputs + c, d].flatten() for c in range(inputs)]
                rows[group, d] = torch.cat(filters)
            else:
                rows[group, d] = weight[group * each + d].flatten()
    return rows


@settings(deadline=None)
@given(
    kind=st.sampled_from(["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]),
    groups=st.integers(1, 3),
    inputs=st.integers(1, 3),
    outputs=st.integers(1, 3),
    side=st.integers(1, 3),
)
def test_filters_of_convolutions(kind: str, groups: int, inputs: int, outputs: int, side: int) -> None:
    layer = getattr(nn, kind)(groups * inputs, groups * outputs, side, groups=groups)
    expected = rows_by_definition(layer, groups, groups * outputs)
    torch.testing.assert_close(filter_rows(kind, layer.weight, groups), expected, rtol=0, atol=0)


def test_filters_of_a_linear_layer_in_half_precision() -> None:
    weight = torch.randn(4, 7).half()
    rows = filter_rows("Linear", weight, 1)
    assert rows.dtype == torch.float32
    torch.testing.assert_close(rows, weight.float()[None], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "shape", "axis", "left"),
    [
        ("Conv1d", (2, 3, 9), 1, (9,)),
        ("ConvTranspose2d", (2, 3, 5, 7), 1, (5, 7)),
        ("Linear", (2, 3), -1, ()),
        ("Linear", (2, 5, 7, 3), -1, (5, 7)),
    ],
)
def test_positions_are_neither_samples_nor_channels(
    kind: str, shape: tuple[int, ...], axis: int, left: tuple[int, ...]
) -> None:
    assert shape[channel_dim(kind)] == 3
    assert channel_dim(kind) == axis
    assert positions(kind, shape) == left


@pytest.mark.parametrize(
    ("kind", "shapes", "problem"),
    [
        ("Conv2d", [(2, 3, 5, 7), (2, 3, 5, 7)], ""),
        ("Linear", [(2, 3)], ""),
        ("Conv2d", [(3, 5, 7)], "its output for 2 samples is (3, 5, 7): the batch is not its first axis"),
        ("Conv2d", [(2, 5, 7)], "its output for 2 samples is (2, 5, 7): the batch is not its first axis"),
        ("Linear", [(2, 3), (10, 3)], "its output for 2 samples is (10, 3): the batch is not its first axis"),
        ("Linear", [(2,)], "its output for 2 samples is (2,): the batch is not its first axis"),
        ("Linear", [(2, 3), (2, 5, 3)], "its uses in one forward have different numbers of positions"),
    ],
)
def test_what_cannot_be_measured(kind: str, shapes: list[tuple[int, ...]], problem: str) -> None:
    assert problem_of_shapes(kind, shapes, 2) == problem
