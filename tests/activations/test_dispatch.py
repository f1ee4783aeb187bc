from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rfav_cli.activations.dispatch import OperatorHook, TracingHook, Use
from rfav_cli.activations.weight_names import WeightNames
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable


def names_of(net: nn.Module, **options: frozenset[str]) -> WeightNames:
    return WeightNames(net.named_parameters(), **options)


def uses_of(run: Callable[[], object], names: WeightNames) -> list[tuple[str, Tensor, Tensor | None]]:
    """Layer, values and bias of each use, the values copied as the hook gives them."""
    uses: list[tuple[str, Tensor, Tensor | None]] = []
    hook = OperatorHook(names, lambda use: uses.append((use.layer, use.values.clone(), use.bias)))
    with torch.no_grad(), hook:
        run()
        hook.finish()
    return uses


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (5, 4, 3), (5, 4, 2, 3), (1, 1, 3), (1, 3)])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_linear_layer_is_put_together_from_its_pieces(shape: tuple[int, ...], bias: bool, swapped: bool) -> None:
    net = nn.ModuleDict({"fc": nn.Linear(3, 6, bias=bias)})
    x = torch.randn(shape)
    if swapped and len(shape) > 2:
        x = x.transpose(0, 1).contiguous().transpose(0, 1)
    [(layer, values, found)] = uses_of(lambda: net["fc"](x).relu_(), names_of(net))
    assert layer == "fc"
    assert (found is not None) == bias
    torch.testing.assert_close(values, net["fc"](x).detach())


def test_what_is_written_over_the_output_is_not_seen() -> None:
    net = nn.ModuleDict({"conv": nn.Conv2d(3, 4, 1), "fc": nn.Linear(4, 4)})
    x = torch.randn(2, 3, 2, 2)

    def run() -> None:
        y = net["conv"](x).mul_(0).mean((2, 3))
        net["fc"](y).add_(100)

    (_, conv, _), (_, fc, _) = uses_of(run, names_of(net))
    torch.testing.assert_close(conv, net["conv"](x).detach())
    torch.testing.assert_close(fc, net["fc"].bias.detach().expand(2, 4))


def test_a_shift_that_is_no_bias_stays_out() -> None:
    net = nn.ModuleDict({"fc": nn.Linear(3, 3, bias=False), "norm": nn.LayerNorm(3)})
    x = torch.randn(2, 4, 3)
    [(_, values, bias)] = uses_of(lambda: net["fc"](x) + net["norm"].bias + x, names_of(net))
    assert bias is None
    torch.testing.assert_close(values, net["fc"](x).detach())


def test_what_is_added_more_than_once_is_no_bias() -> None:
    net = nn.ModuleDict({"fc": nn.Linear(3, 4)})
    weight, shift = net["fc"].weight, net["fc"].bias
    x = torch.randn(2, 3)
    [(_, values, bias)] = uses_of(lambda: torch.add(x @ weight.t(), shift, alpha=2), names_of(net))
    assert bias is None
    torch.testing.assert_close(values, (x @ weight.t()).detach())
    [(_, values, bias)] = uses_of(lambda: torch.add(x @ weight.t(), shift), names_of(net))
    assert bias is shift
    torch.testing.assert_close(values, net["fc"](x).detach())


def test_a_reshape_by_the_user_is_no_piece_of_the_layer() -> None:
    net = nn.ModuleDict({"fc": nn.Linear(3, 4)})
    [(_, values, _)] = uses_of(lambda: net["fc"](torch.randn(2, 3)).view(2, 1, 4), names_of(net))
    assert values.shape == (2, 4)


def test_products_of_activations_and_slices_of_a_packed_weight_are_no_layers() -> None:
    net = nn.ParameterDict({"packed": nn.Parameter(torch.randn(9, 3))})
    names = WeightNames([("attn.packed", net["packed"])])
    x = torch.randn(2, 4, 3)

    def run() -> None:
        q, k, _ = (functional.linear(x, part) for part in net["packed"].chunk(3))
        q @ k.transpose(1, 2)

    assert uses_of(run, names) == []
    assert list(names.borrowed) == ["attn.packed"]


def test_a_weight_is_a_layer_in_its_own_orientation_only() -> None:
    weight = nn.Parameter(torch.randn(3, 3))
    names = WeightNames([("fc.weight", weight)])
    x = torch.randn(2, 3)
    assert uses_of(lambda: x @ weight, names) == []
    assert list(names.borrowed) == ["fc"]
    assert [layer for layer, _, _ in uses_of(lambda: x @ weight.t(), names)] == ["fc"]


def test_constants_are_numbered_by_kind() -> None:
    first, second, conv = torch.randn(4, 3), torch.randn(3, 4), torch.randn(2, 1, 3)
    names = WeightNames([], constants=[first, second, conv])
    x = torch.randn(2, 3)

    def run() -> None:
        y = functional.linear(x, first)
        functional.linear(functional.linear(y, second), first)
        functional.conv1d(y.unsqueeze(1), conv)

    assert [layer for layer, _, _ in uses_of(run, names)] == ["linear_1", "linear_2", "linear_1", "conv1d_1"]


def test_a_convolution_with_a_computed_weight_is_not_passed_over() -> None:
    names = WeightNames([])
    assert uses_of(lambda: functional.conv2d(torch.randn(1, 1, 3, 3), torch.randn(1, 1, 2, 2)), names) == []
    assert list(names.borrowed) == ["Conv2d with a computed weight"]


@pytest.mark.parametrize("groups", [1, 2])
def test_filters_of_a_transposed_convolution(groups: int) -> None:
    weight = torch.randn(4, 3, 2, 2)  # (C, D / groups, height, width)
    rows = Use("up", "ConvTranspose2d", weight, groups, weight, None).filters()
    assert rows.shape == (groups, 3, 4 // groups * 4)
    for group in range(groups):
        inputs = range(group * 4 // groups, (group + 1) * 4 // groups)
        for row in range(3):
            twin = torch.cat([weight[channel, row].flatten() for channel in inputs])
            torch.testing.assert_close(rows[group, row], twin, rtol=0, atol=0)


def scale_of(run: Callable[[], object], net: nn.Module) -> Tensor | None:
    hook = TracingHook(names_of(net), lambda use: None)
    with torch.no_grad(), hook:
        run()
        hook.finish()
    return hook.scale("layer")


def test_the_norm_that_follows_a_layer() -> None:
    net = nn.ModuleDict({"layer": nn.Conv2d(3, 4, 1), "norm": nn.BatchNorm2d(4)}).eval()
    nn.init.uniform_(net["norm"].running_var, 1, 2)
    nn.init.uniform_(net["norm"].weight, 1, 2)
    x = torch.randn(2, 3, 2, 2)
    expected = net["norm"].weight.detach() / torch.sqrt(net["norm"].running_var + net["norm"].eps)
    torch.testing.assert_close(scale_of(lambda: net["norm"](net["layer"](x)), net), expected)
    assert scale_of(lambda: net["norm"](net["layer"](x).relu_()), net) is None
    assert scale_of(lambda: (net["norm"](net["layer"](x)), net["layer"](x)), net) is None


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(3), nn.Dropout(0.5)])
def test_training_mode_is_an_error(layer: nn.Module) -> None:
    hook = TracingHook(WeightNames([]), lambda use: None)
    with pytest.raises(CheckpointError, match="training mode"), torch.no_grad(), hook:
        layer.train()(torch.randn(4, 3))


def test_norms_without_running_statistics_are_none_of_it() -> None:
    with torch.no_grad(), TracingHook(WeightNames([]), lambda use: None):
        nn.InstanceNorm2d(3).eval()(torch.randn(4, 3, 2, 2))


def test_the_hook_keeps_what_was_raised() -> None:
    def receive(use: Use) -> None:
        raise KeyError(use.layer)

    net = nn.ModuleDict({"conv": nn.Conv1d(1, 1, 1)})
    hook = OperatorHook(names_of(net), receive)
    with pytest.raises(KeyError, match="conv"), torch.no_grad(), hook:
        net["conv"](torch.randn(1, 1, 2))
    assert isinstance(hook.failure, KeyError)
