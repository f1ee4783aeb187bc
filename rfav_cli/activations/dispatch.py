"""In place of hooks, for programs that take none: each operator is seen, and its weight tells which layer it is.

A linear layer reaches the dispatcher in pieces (flatten, product, unflatten, add the bias), so a product is held back
until the first operator that is none of its own pieces: nothing can have written over it by then.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.utils import _pytree as pytree

from rfav_cli.activations.consumers import INFERENCE_NORM, NORMS, Consumers
from rfav_cli.activations.layer_kinds import channel_dim, filter_rows
from rfav_cli.activations.misfit import Entered
from rfav_cli.activations.operator_mode import OperatorMode
from rfav_cli.activations.trusting_operators import hold
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rfav_cli.activations.weight_names import WeightNames

aten = torch.ops.aten
CONVOLUTIONS = {aten.convolution, aten._convolution}
PRODUCTS = {aten.addmm: (0, 1, 2), aten.mm: (None, 0, 1), aten.bmm: (None, 0, 1), aten.linear: (2, 0, 1)}
"""Where a matrix product has its bias, its input and its weight among its arguments."""
VIEWS = {aten.view, aten._unsafe_view}
SUMS = {aten.add, aten.add_}
RANDOM = {aten.native_dropout, aten.bernoulli_}
FUSED = {
    aten._native_multi_head_attention,
    aten._transformer_encoder_layer_fwd,
    aten.mkldnn_rnn_layer,
    aten._cudnn_rnn,
    aten.miopen_rnn,
    aten._trilinear,
}
"""Operators that apply several weights at once, or apply them otherwise: no activation of a layer comes out."""


def convolution_kind(args: tuple[Any, ...]) -> str:
    """Which sort of convolution the arguments of `aten.convolution` make: "Conv2d", "ConvTranspose1d", ..."""
    return f"Conv{'Transpose' if args[6] else ''}{args[1].dim() - 2}d"


@dataclass
class Use:
    """One use of one layer.

    Attributes:
        layer: its name.
        kind: "Conv2d", "ConvTranspose1d", "Linear", ... told from the operator.
        weight: (D, C / groups, *kernel), transposed (C, D / groups, *kernel), or (D, C) of a linear layer.
        groups: of a convolution, else 1.
        values: what the layer gives: (N, D, *positions), or (N, *positions, D) of a linear layer.
        bias: (D,), already in the values; or None.
        shape: what a linear layer's values are going to be unflattened to, or None.
    """

    layer: str
    kind: str
    weight: Tensor
    groups: int
    values: Tensor
    bias: Tensor | None
    shape: tuple[int, ...] | None = None

    @property
    def channel_dim(self) -> int:
        """Where the channels lie in the values."""
        return channel_dim(self.kind)

    @property
    def parameters(self) -> int:
        """How many numbers the layer has learnt."""
        return self.weight.numel() + (0 if self.bias is None else self.bias.numel())

    def filters(self) -> Tensor:
        """The weights of each filter in a row: (groups, D / groups, weights of one filter), float32."""
        return filter_rows(self.kind, self.weight, self.groups)


class OperatorHook(OperatorMode):
    """Gives each use of each layer to a receiver, at once.

    Args:
        weights: names the layers.
        receive: takes a use; what it raises ends the forward.

    Attributes:
        failure: what was raised inside the forward; TorchScript raises something else in its place.
        entered: the layer that was being used when something was raised, if one was.
    """

    def __init__(self, weights: WeightNames, receive: Callable[[Use], None]) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        self.entered: Entered | None = None
        self._first = True
        self._weights = weights
        self._receive = receive
        self._pending: Use | None = None
        self._views: deque[tuple[Tensor, tuple[int, ...]]] = deque(maxlen=4)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operator."""
        try:
            return self._step(func, args, kwargs or {})
        except BaseException as error:
            self.failure = self.failure or error
            raise

    def finish(self) -> None:
        """Give out what was held back."""
        if self._pending is not None:
            use, self._pending = self._pending, None
            self._receive(use)

    def watch(self, operator: Any, args: tuple[Any, ...]) -> None:
        """See an operator before it runs, and after everything before it was given out."""

    def watched(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """See an operator that has run, but for the pieces of linear layers."""

    def _step(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        operator = func.overloadpacket
        hold(operator, args)
        if self._pending is not None and self._is_piece(self._pending, operator, args, kwargs):
            self._pending.values = func(*args, **kwargs)
            if operator in SUMS:
                self._pending.bias = args[1]
            return self._pending.values
        self.finish()
        self.watch(operator, args)
        use = self._recognise(operator, args)
        self.entered = None if use is None else _entered(use, operator, args, first=self._first)
        output = func(*args, **kwargs)
        self.entered, self._first = None, self._first and use is None
        if operator in VIEWS:
            self._views.append((output, tuple(args[0].shape)))
        elif operator not in (aten.t, aten.expand):
            self._views.clear()
        if use is not None:
            use.values = output
            self._pending = use
            if use.kind != "Linear":
                self.finish()
        self.watched(func, args, kwargs, output)
        return output

    def _is_piece(self, use: Use, operator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        if not args or args[0] is not use.values:
            return False
        if operator in VIEWS:
            return use.shape is not None and tuple(args[1]) == use.shape
        unbiased = use.bias is None and kwargs.get("alpha", 1) == 1
        return operator in SUMS and unbiased and self._weights.is_bias(args[1], use.layer, use.weight.shape[0])

    def _recognise(self, operator: Any, args: tuple[Any, ...]) -> Use | None:
        """What use of what layer an operator is going to be; its values are not there yet."""
        if operator in CONVOLUTIONS:
            weight, kind = args[1], convolution_kind(args)
            groups, bias, shape = args[8], args[2], None
        elif operator in PRODUCTS:
            where, first, second = PRODUCTS[operator]
            bias = args[where] if where is not None and where < len(args) else None
            weight = args[second] if operator is aten.linear else args[second].transpose(-1, -2)
            weight = weight[0] if weight.dim() == 3 else weight
            kind, groups = "Linear", 1
            shape = next(((*shape[:-1], weight.shape[0]) for view, shape in self._views if view is args[first]), None)
        else:
            return None
        if (layer := self._weights.layer(weight, kind)) is None:
            return None
        return Use(layer, kind, weight, groups, weight, bias, shape)


class TracingHook(OperatorHook):
    """Sees as well which batch normalisation follows which layer, and what must not be in a net that is evaluated.

    Args:
        weights, receive: see `OperatorHook`.
        in_training: the program was saved in training mode, as far as it tells; else what draws at random or normalises
            by the batch in it does so in evaluation, too.

    Attributes:
        norms: layer -> of each use, what a norm multiplies by, gamma / sqrt(var + eps), and adds, (D,) each; None for a
            use that no norm follows.
        consumers: what takes the outputs of layers.
        normalised: whether there was a batch normalisation with running statistics, whatever it follows.
    """

    def __init__(self, weights: WeightNames, receive: Callable[[Use], None], *, in_training: bool = True) -> None:
        super().__init__(weights, self._keep)
        self.normalised = False
        self._in_training = in_training
        self.norms: dict[str, list[tuple[Tensor, Tensor] | None]] = {}
        self.consumers = Consumers()
        self._next = receive
        self._outputs: list[tuple[Tensor, str, int]] = []

    def _keep(self, use: Use) -> None:
        norms = self.norms.setdefault(use.layer, [])
        if use.channel_dim == 1 or use.values.dim() == 2:
            self._outputs.append((use.values, use.layer, len(norms)))
        norms.append(None)
        self.consumers.add(use.layer, use.values)
        self._next(use)

    def watch(self, operator: Any, args: tuple[Any, ...]) -> None:
        """Note a batch normalisation of a layer's output that nothing has written over since."""
        if self._in_training and (operator in RANDOM or (operator in NORMS and args[5] and args[3] is not None)):
            raise CheckpointError(
                "the program was saved in training mode",
                "Call eval() on the net before it is traced, frozen or exported.",
            )
        follows_running = operator is INFERENCE_NORM or (operator in NORMS and not args[5])
        if follows_running and args[4] is not None:
            self.normalised = True
            norm = _affine(args, args[-1] if operator is INFERENCE_NORM else args[7])
            for output in [output for output in self._outputs if output[0] is args[0]]:
                _, layer, use = output
                if self.norms[layer][use] is None:
                    self.norms[layer][use] = norm
                else:  # of two, none is folded in
                    self.norms[layer][use] = None
                    self._outputs = [other for other in self._outputs if other is not output]
        elif operator in FUSED:
            self._weights.borrow(operator.__name__.strip("_"), pytree.tree_leaves(args))
        elif operator.__name__.endswith("_"):
            self._outputs = [output for output in self._outputs if output[0] is not args[0]]

    def watched(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Note what takes a layer's output."""
        self.consumers.see(func, args, kwargs, output)

    def scale(self, layer: str) -> Tensor | None:
        """What the norms of all uses of a layer multiply by, where that is the same, or None."""
        first, *others = self.norms[layer]
        if first is None or any(other is None or not torch.equal(first[0], other[0]) for other in others):
            return None
        return first[0]

    def norm(self, layer: str) -> tuple[Tensor, Tensor] | None:
        """What the norms of all uses of a layer multiply by and add, where that is the same, or None."""
        first, *others = self.norms[layer]
        if first is None or any(other is None or not all(map(torch.equal, first, other)) for other in others):
            return None
        return first


def _entered(use: Use, operator: Any, args: tuple[Any, ...], *, first: bool) -> Entered:
    """The layer that an operator is about to use, which may fail."""
    weight = tuple(use.weight.shape)
    if use.kind == "Linear":
        given = tuple(args[PRODUCTS[operator][1]].shape)
        return Entered(use.layer, use.kind, weight, given, weight[-1], first=first)
    given, padding, dilation, transposed = tuple(args[0].shape), args[4], args[5], args[6]
    if transposed:
        return Entered(use.layer, use.kind, weight, given, weight[0], first=first)
    sizes = zip(weight[2:], dilation, padding, strict=False)
    reach = tuple((size - 1) * step + 1 - 2 * pad for size, step, pad in sizes)
    return Entered(use.layer, use.kind, weight, given, weight[1] * use.groups, reach, first)


def _affine(args: tuple[Any, ...], epsilon: float) -> tuple[Tensor, Tensor]:
    """What a batch normalisation of these arguments multiplies by and adds, (D,) each."""
    _, gamma, beta, mean, variance = args[:5]
    scale = torch.rsqrt(variance + epsilon)
    scale = scale if gamma is None else scale * gamma
    return scale, -mean * scale if beta is None else beta - mean * scale
