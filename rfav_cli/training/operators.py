"""The operators that a TorchScript graph has for its layers, and those of ours that take their entropies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.training.entropy import entropy_sum
from rfav_cli.training.readers import folded, norm_scale

if TYPE_CHECKING:
    from torch import Tensor

_OPERATORS = torch.library.Library("rfav", "FRAGMENT")
_OPERATORS.define("entropy(Tensor values, int channel_dim, int axes, Tensor? bias) -> Tensor")
_OPERATORS.define(
    "folded_entropy(Tensor values, int channel_dim, int axes, Tensor? bias, Tensor? gamma, Tensor? variance, "
    "bool training, float eps) -> Tensor"
)
_LINEAR = {"aten::linear", "aten::addmm"}
_ANY_CONVOLUTION = {"aten::_convolution", "aten::convolution"}
KINDS = _LINEAR | _ANY_CONVOLUTION | {"aten::_convolution_mode"}
KINDS |= {f"aten::conv{sort}{axes}d" for sort in ("", "_transpose") for axes in (1, 2, 3)}
"""Operators that apply the weight of a layer."""


def weight_of(node: Any) -> Any:
    """The weight that an operator applies, as a value of the graph."""
    if node.kind() != "aten::addmm":
        return node.namedInput("weight")
    turned = node.namedInput("mat2").node()
    return turned.inputsAt(0) if turned.kind() == "aten::t" else turned.output()


def kind_of(node: Any, weight: Tensor) -> str:
    """The class of the layer that an operator applies: "Conv2d", "ConvTranspose1d", "Linear", ..."""
    if node.kind() in _LINEAR:
        return "Linear"
    if node.kind() in _ANY_CONVOLUTION:
        transposed = node.namedInput("transposed").toIValue()
    else:
        transposed = "transpose" in node.kind()
    return f"Conv{'Transpose' if transposed else ''}{weight.dim() - 2}d"


def norm_of(use: Any) -> Any:
    """The batch normalisation, in the same block, that is the first to take what a layer gives, as it is; or None."""
    values = use.output()
    if any(use.user.kind().endswith("_") for use in values.uses()):
        return None
    norms = (node for node in use.owningBlock().nodes() if node.kind() == "aten::batch_norm")
    return next((norm for norm in norms if norm.inputsAt(0).unique() == values.unique()), None)


def _entropy(values: Tensor, channel_dim: int, axes: int, bias: Tensor | None) -> Tensor:
    """The entropies of an activation, summed over its positions, a mean over its samples.

    Returns:
        A scalar; or the shape of the values, (axes,), where none of them is that of the batch.
    """
    if values.dim() < axes:
        return torch.tensor(values.shape)
    return entropy_sum(values, channel_dim, bias) / max(len(values), 1)


def _folded_entropy(
    values: Tensor,
    channel_dim: int,
    axes: int,
    bias: Tensor | None,
    gamma: Tensor | None,
    variance: Tensor | None,
    training: bool,
    eps: float,
) -> Tensor:
    """The same with a batch normalisation folded in, where the channels are on its axis."""
    if values.dim() < axes or (channel_dim != 1 and values.dim() != 2):
        return _entropy(values, channel_dim, axes, bias)
    scale = norm_scale(values, gamma, None if training else variance, eps)
    return _entropy(folded(values, bias, scale), 1, axes, None)


_OPERATORS.impl("entropy", _entropy, "CompositeImplicitAutograd")
_OPERATORS.impl("folded_entropy", _folded_entropy, "CompositeImplicitAutograd")
