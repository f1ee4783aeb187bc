"""Operators of torch that take sizes on trust: what a program gives them is held against each other before each call.

Nets need them, so they cannot be refused. Given tensors that do not fit one another they read, and write, beyond them.
Modules of `torch.nn` hold the sizes against each other before; a program from untrusted hands need not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.activations.operator_mode import OperatorMode
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

_GATES = {2: 4, 3: 3}
"""Of a recurrent layer, by what torch calls its mode: an LSTM, a GRU."""


def hold(operator: Any, args: tuple[Any, ...]) -> None:
    """Hold the arguments of an operator against each other, where it does not do so itself.

    Args:
        operator: without an overload, such as `torch.ops.aten.linear`.
        args: that it is about to be called with.

    Raises:
        CheckpointError: they do not fit; the message does not name the file.
    """
    fits = _TRUSTING.get(operator)
    if fits is not None and not fits(*args):
        shapes = ", ".join(str(tuple(each.shape)) for each in args if isinstance(each, torch.Tensor))
        raise CheckpointError(
            f"malformed: {operator.__name__.strip('_')} is given tensors that do not fit one another: {shapes}",
            "Save the net again.",
        )


class Holding(OperatorMode):
    """Holds the arguments of all operators that run within it."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operator."""
        hold(func.overloadpacket, args)
        return func(*args, **(kwargs or {}))


def _fits_attention(query: Tensor, key: Tensor, value: Tensor, *_: Any) -> bool:
    """All are (N, heads, positions, features); heads of the query may share one of the key."""
    if not query.dim() == key.dim() == value.dim() == 4 or key.shape[:3] != value.shape[:3]:
        return False
    return query.shape[0] == key.shape[0] and key.shape[1] > 0 and query.shape[1] % key.shape[1] == 0


def _fits_weight_norm(direction: Tensor, norms: Tensor, dim: int = 0) -> bool:
    return 0 <= dim < direction.dim() and direction.numel() > 0 and norms.numel() == direction.shape[dim]


def _fits_recurrent(inputs: Tensor, *others: Any) -> bool:
    """The inputs are (steps, N, features)."""
    of_input, of_state, bias, other_bias, state, cell, _, _, mode, hidden, _, has_biases, *_ = others
    rows = _GATES.get(mode, 1) * hidden
    if inputs.dim() != 3 or (of_input.shape, of_state.shape) != ((rows, inputs.shape[2]), (rows, hidden)):
        return False
    if has_biases and not bias.shape == other_bias.shape == (rows,):
        return False
    return bool(state.numel() == cell.numel() == inputs.shape[1] * hidden)


def _fits_heads(size: int, heads: int, *weights: Tensor) -> bool:
    """The weights and biases of attention: of query, key and value as one, and of what follows."""
    shapes = [tuple(weight.shape) for weight in weights]
    expected = [(3 * size, size), (3 * size,), (size, size), (size,)]
    return heads > 0 and size % heads == 0 and shapes == expected


def _fits_attention_layer(*args: Any) -> bool:
    return _fits_heads(*args[3:9])


def _fits_encoder_layer(*args: Any) -> bool:
    size, first, second = args[1], args[14], args[16]
    norms = all(tuple(each.shape) == (size,) for each in args[10:14])
    inner = first.shape[0] if first.dim() else 0
    shapes = [tuple(each.shape) for each in (first, args[15], second, args[17])]
    return norms and shapes == [(inner, size), (inner,), (size, inner), (size,)] and _fits_heads(*args[1:7])


_aten = torch.ops.aten
_TRUSTING: Mapping[Any, Callable[..., bool]] = {
    _aten._scaled_dot_product_flash_attention_for_cpu: _fits_attention,
    _aten._weight_norm_interface: _fits_weight_norm,
    _aten.mkldnn_rnn_layer: _fits_recurrent,
    _aten._native_multi_head_attention: _fits_attention_layer,
    _aten._transformer_encoder_layer_fwd: _fits_encoder_layer,
}
