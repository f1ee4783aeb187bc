"""Operators that read beyond their tensors where these do not fit one another: they are not called then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.trusting_operators import Holding, hold
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable

aten = torch.ops.aten
_zeros = torch.zeros


def _heads(**others: Tensor) -> tuple[Any, ...]:
    weights = {"in": _zeros(24, 8), "in_bias": _zeros(24), "out": _zeros(8, 8), "out_bias": _zeros(8)} | others
    return (8, 2, *weights.values())


def _encoder(heads: tuple[Any, ...], norm: int = 8, *inner: Tensor) -> tuple[Any, ...]:
    norms = [_zeros(8), _zeros(8), _zeros(8), _zeros(norm)]
    feed_forward = inner or (_zeros(16, 8), _zeros(16), _zeros(8, 16), _zeros(8))
    return (_zeros(1, 3, 8), *heads, False, False, 1e-5, *norms, *feed_forward)


def _recurrent(
    weight: tuple[int, int] = (16, 3), other: tuple[int, int] = (16, 4), bias: int = 16, state: int = 2
) -> tuple[Any, ...]:
    biases, states = (_zeros(16), _zeros(bias)), (_zeros(state, 4), _zeros(2, 4))
    return (_zeros(5, 2, 3), _zeros(weight), _zeros(other), *biases, *states, False, [], 2, 4, 1, True)


ATTENTION = aten._scaled_dot_product_flash_attention_for_cpu
WRONG: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "fewer keys than values": (ATTENTION, (_zeros(1, 1, 4, 8), _zeros(1, 1, 1, 8), _zeros(1, 1, 99, 8))),
    "other samples": (ATTENTION, (_zeros(9, 1, 4, 8), _zeros(1, 1, 4, 8), _zeros(1, 1, 4, 8))),
    "heads that are no multiple": (ATTENTION, (_zeros(1, 3, 4, 8), _zeros(1, 2, 4, 8), _zeros(1, 2, 4, 8))),
    "no heads": (ATTENTION, (_zeros(1, 3, 4, 8), _zeros(1, 0, 4, 8), _zeros(1, 0, 4, 8))),
    "an axis fewer": (ATTENTION, (_zeros(3, 4, 8), _zeros(3, 4, 8), _zeros(3, 4, 8))),
    "fewer norms than rows": (aten._weight_norm_interface, (_zeros(99, 3), _zeros(1, 1), 0)),
    "an axis that is not there": (aten._weight_norm_interface, (_zeros(4, 3), _zeros(4, 1), 2)),
    "a weight of nothing": (aten._weight_norm_interface, (_zeros(0, 3), _zeros(0, 1), 0)),
    "fewer states than samples": (aten.mkldnn_rnn_layer, _recurrent(state=1)),
    "a weight of other inputs": (aten.mkldnn_rnn_layer, _recurrent((1, 1))),
    "a weight of other states": (aten.mkldnn_rnn_layer, _recurrent(other=(16, 1))),
    "a smaller bias": (aten.mkldnn_rnn_layer, _recurrent(bias=1)),
    "samples of other axes": (aten.mkldnn_rnn_layer, (_zeros(5, 3), *_recurrent()[1:])),
    "a smaller bias of heads": (
        aten._native_multi_head_attention,
        (*[_zeros(1, 2, 8)] * 3, *_heads(out_bias=_zeros(1))),
    ),
    "a size that heads do not share": (
        aten._native_multi_head_attention,
        (*[_zeros(1, 2, 8)] * 3, 8, 0, *_heads()[2:]),
    ),
    "a smaller norm": (aten._transformer_encoder_layer_fwd, _encoder(_heads(), 1)),
    "a smaller weight of heads": (aten._transformer_encoder_layer_fwd, _encoder(_heads(out=_zeros(1, 8)))),
    "a smaller bias within": (
        aten._transformer_encoder_layer_fwd,
        _encoder(_heads(), 8, _zeros(16, 8), _zeros(1), _zeros(8, 16), _zeros(8)),
    ),
    "a weight within of no axes": (
        aten._transformer_encoder_layer_fwd,
        _encoder(_heads(), 8, _zeros(()), _zeros(16), _zeros(8, 16), _zeros(8)),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name: str) -> None:
    operator, args = WRONG[name]
    with pytest.raises(
        CheckpointError, match=f"malformed: {operator.__name__.strip('_')} is given tensors that do not"
    ):
        hold(operator, args)


def _attention(x: Tensor) -> Tensor:
    return nn.functional.scaled_dot_product_attention(x, x, x)


RIGHT: dict[str, tuple[Callable[[], Callable[[Tensor], object]], tuple[int, ...]]] = {
    "LSTM": (lambda: nn.LSTM(3, 4), (5, 2, 3)),
    "LSTM of two": (lambda: nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True, bias=False), (5, 2, 3)),
    "GRU": (lambda: nn.GRU(3, 4), (5, 2, 3)),
    "encoder": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (1, 3, 8)),
    "decoder": (lambda: lambda x: nn.TransformerDecoderLayer(8, 2, 16).eval()(x, x), (3, 1, 8)),
    "heads": (lambda: lambda x: nn.MultiheadAttention(8, 2, batch_first=True).eval()(x, x, x), (1, 3, 8)),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 1), dim=1), (1, 3, 2, 2)),
    "attention": (lambda: _attention, (2, 3, 4, 8)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_modules_of_torch_fit(name: str) -> None:
    make, shape = RIGHT[name]
    net = make()
    if isinstance(net, nn.Module):
        net.eval()
    with torch.no_grad(), Holding():
        net(_zeros(shape))


def test_what_a_program_calls_is_held() -> None:
    key, value = _zeros(1, 1, 1, 8), _zeros(1, 1, 99, 8)
    with torch.no_grad(), Holding(), pytest.raises(CheckpointError, match="do not fit one another"):
        nn.functional.scaled_dot_product_attention(key, key, value)
