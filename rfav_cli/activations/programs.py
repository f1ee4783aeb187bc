"""Networks that come as programs, with their code in the file: what TorchScript and exported programs share."""

from __future__ import annotations

import contextlib
import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.jit._fuser import optimized_execution
from torch.utils import _pytree as pytree

from rfav_cli import isolation
from rfav_cli.activations.dispatch import OperatorHook, TracingHook, Use
from rfav_cli.activations.hooks import StopForward
from rfav_cli.activations.layer_kinds import ALONE, are_steps_first, positions, problem_of_shapes
from rfav_cli.activations.misfit import unfit
from rfav_cli.activations.network import Activation, Network, Sink, Trace
from rfav_cli.activations.norm_input import NormInput, NormInputHook
from rfav_cli.activations.trusting_operators import Holding
from rfav_cli.errors import CheckpointError, RfavError, SampleError
from rfav_cli.inputs import copied, count, size, taken
from rfav_cli.records import HeldLayer, Layer, Nonlinearity, SkippedLayer
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.activations.weight_names import WeightNames
    from rfav_cli.inputs import Inputs
    from rfav_cli.records import Payload

_LAYER_CLASS = re.compile(r"Conv(Transpose)?[123]d|Linear$")
WRAPPERS = ("module.", "_orig_mod.")
"""Prefixes that DataParallel and torch.compile put before every name."""


def is_layer_class(name: str) -> bool:
    """Whether a class of this name is a convolution or a linear layer."""
    return _LAYER_CLASS.search(name) is not None


def wrapper_prefix(names: list[str]) -> str:
    """The wrappers' prefix that all of the names have."""
    prefix = ""
    while match := next((w for w in WRAPPERS if names and all(n.startswith(prefix + w) for n in names)), None):
        prefix += match
    return prefix


def named_tensors(module: torch.nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by all of their names."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


@dataclass(frozen=True)
class _Traced:
    """What a trace showed: for the caller, and for `filters`, the norms and the nonlinearities."""

    trace: Trace
    uses: Mapping[str, Use]
    scales: Mapping[str, Tensor | None]
    norms: Mapping[str, tuple[Tensor, Tensor] | None]
    nonlinearities: Mapping[str, Nonlinearity | None]
    before_norms: frozenset[str]
    normalised: bool
    steps_first: frozenset[str]


class ProgramNetwork(Network):
    """A net whose layers are found by watching its operators; the first checkpoint's names and shapes hold for all.

    Args:
        payload: the first checkpoint.
        options: see `OpenOptions`.
    """

    _fuses_without_gradients = False
    """Attention is one operator unless gradients are asked for, and passes by the layers that it is made of."""

    def __init__(self, payload: Payload, options: OpenOptions) -> None:
        self._options = options
        self._samples: Inputs | None = None
        self._traced: _Traced | None = None
        self._path: Path = payload.path
        self._put(payload)

    @abstractmethod
    def _put(self, payload: Payload) -> None:
        """Take a checkpoint's program in place of the one before."""

    @abstractmethod
    def _call(self, inputs: Inputs) -> Any:
        """Run the program."""

    def _buffers(self) -> Mapping[str, Tensor]:
        """This checkpoint's parameters and buffers by their names, as far as it has any."""
        return {}

    @abstractmethod
    def _weight_names(self) -> WeightNames:
        """The names of this checkpoint's weights."""

    def _in_training(self) -> bool:
        """Whether what draws at random or normalises by the batch does so since the program was saved in training."""
        return True

    @abstractmethod
    def _expected(self) -> Iterator[tuple[str, str]]:
        """Names of modules that look like layers, and what to say of those that are not found in use."""

    def load(self, payload: Payload) -> None:
        """Put a checkpoint's program in place of the one before; see `Network.load`."""
        before = self._traced
        self._path = payload.path
        self._put(payload)
        if self._samples is None or before is None:
            return
        try:
            self._traced = self._explore(self._samples)
        except SampleError as error:
            raise CheckpointError(
                f"{payload.path}: not a checkpoint of this net: {error.what}", error.remedy
            ) from error
        if differences := _differences(before.trace.layers, self._traced.trace.layers):
            self._traced = before
            raise CheckpointError(
                f"{payload.path}: its layers are not those of the first checkpoint: {'; '.join(differences)}",
                "Give the checkpoints of one net.",
            )

    def trace(self, inputs: Inputs) -> Trace:
        """Run a few samples and say which layers there are; see `Network.trace`."""
        self._samples = inputs
        self._traced = self._explore(inputs)
        return self._traced.trace

    def forward(self, inputs: Inputs, sink: Sink, *, unmeasured: bool = False) -> Any:
        """Run a batch, giving each use of each layer to the sink; see `Network.forward`."""
        traced = self._traced or self._explore(taken(inputs, slice(2)))

        def receive(use: Use) -> None:
            if use.layer not in traced.trace.uses and not unmeasured:
                return
            bias = None if self._options.with_bias else use.bias
            scale, norm = traced.scales.get(use.layer), traced.norms.get(use.layer)
            values = use.values.transpose(0, 1) if use.layer in traced.steps_first else use.values
            if sink(Activation(use.layer, values, use.channel_dim, bias, scale, norm)):
                raise StopForward

        try:
            return self._run(OperatorHook(self._names, receive), inputs)
        except StopForward:
            return None

    def filters(self, layer: str, *, folded: bool = True) -> Tensor:
        """The weights of a layer as rows; see `Network.filters`."""
        if self._traced is None:
            raise KeyError(layer)
        rows, scale = self._traced.uses[layer].filters(), self._traced.scales[layer]
        return rows if scale is None or not folded else rows * scale.reshape(*rows.shape[:2], 1)

    def norm_input(self, inputs: Inputs) -> NormInput | None:
        """Run a batch as far as the first batch normalisation; see `Network.norm_input`."""
        if self._traced is None or not self._traced.normalised:
            return None
        hook = NormInputHook(self._names, self._buffers())
        with contextlib.suppress(StopForward):
            self._run(hook, inputs)
        return hook.found

    def held(self) -> tuple[HeldLayer, ...]:
        """The layers that the trace has seen in use; see `Network.held`."""
        uses = {} if self._traced is None else self._traced.uses
        return tuple(HeldLayer(name, use.kind, tuple(use.weight.shape), use.parameters) for name, use in uses.items())

    def normalised(self) -> Mapping[str, bool]:
        """The layers that a normalisation follows, and whether it can be folded in; see `Network.normalised`."""
        if self._traced is None:
            return {}
        folded = {name for name, norm in self._traced.norms.items() if norm is not None}
        return {name: name in folded for name in sorted({*self._traced.before_norms, *folded})}

    def nonlinearity(self, layer: str) -> Nonlinearity | None:
        """What the net applies to a layer's activation, where that is known; see `Network.nonlinearity`."""
        return None if self._traced is None else self._traced.nonlinearities.get(layer)

    def _run(self, hook: OperatorHook, inputs: Inputs) -> Any:
        with isolation.forward(self._path, count(inputs), size(inputs)):
            return self._run_hooked(hook, inputs)

    def _run_hooked(self, hook: OperatorHook, inputs: Inputs) -> Any:
        try:
            # The profiling executor would fuse operators from the third call on.
            with torch.set_grad_enabled(self._fuses_without_gradients), optimized_execution(False), hook:
                output = self._call(self.arranged(inputs))
                hook.finish()
        except Exception:
            # TorchScript raises an error of its own in place of what was raised inside it.
            if hook.failure is not None:
                raise hook.failure from None
            raise
        if self._fuses_without_gradients:
            output = pytree.tree_map_only(torch.Tensor, torch.Tensor.detach, output)
        return output

    def _explore(self, inputs: Inputs) -> _Traced:
        self._names = self._weight_names()
        uses: dict[str, list[Use]] = {}
        hook = TracingHook(
            self._names, lambda use: uses.setdefault(use.layer, []).append(use), in_training=self._in_training()
        )
        try:
            hook.consumers.finish(self._run(hook, copied(inputs)))
        except torch.OutOfMemoryError:
            raise
        except RfavError as error:
            raise type(error)(f"{self._path}: {error.what}", error.remedy) from error
        except Exception as error:
            net = f"the program in {printable(self._path)}"
            raise unfit(inputs, error, hook.entered, self._try, net=net) from error
        shapes: dict[str, list[tuple[int, ...]]] = {
            name: [tuple(use.values.shape) for use in seen] for name, seen in uses.items()
        }
        first = {name for name, seen in uses.items() if are_steps_first(seen[0].kind, shapes[name], count(inputs))}
        for name in first:
            shapes[name] = [(shape[1], shape[0], shape[2]) for shape in shapes[name]]
        problems = {name: problem_of_shapes(seen[0].kind, shapes[name], count(inputs)) for name, seen in uses.items()}
        norms = {name: hook.norm(name) for name in uses if not problems[name]}
        layers = [_layer(uses[name][0], shapes[name][0], normalised=norm is not None) for name, norm in norms.items()]
        skipped = [SkippedLayer(name, problem) for name, problem in problems.items() if problem]
        skipped += self._skipped_layers(set(uses))
        trace = Trace(tuple(layers), {layer.name: len(uses[layer.name]) for layer in layers}, tuple(skipped))
        fold = self._options.fold_norm
        scales = {layer.name: hook.scale(layer.name) if fold else None for layer in layers}
        nonlinearities = {
            name: hook.consumers.nonlinearity(name, normalised=norm is not None) for name, norm in norms.items()
        }
        firsts = {name: seen[0] for name, seen in uses.items()}
        before_norms = frozenset(name for name in norms if hook.consumers.normalised(name))
        return _Traced(trace, firsts, scales, norms, nonlinearities, before_norms, hook.normalised, frozenset(first))

    def _try(self, inputs: Inputs) -> None:
        limits = isolation.forward(self._path, count(inputs), size(inputs))
        with limits, torch.no_grad(), optimized_execution(False), Holding():
            self._call(inputs)

    def _skipped_layers(self, used: set[str]) -> list[SkippedLayer]:
        """Weights that were used without a module, and layers that were not used."""
        reasons = dict.fromkeys(self._names.borrowed, ALONE)
        for name, reason in self._expected():
            reasons.setdefault(name, reason)
        return [SkippedLayer(name, reason) for name, reason in reasons.items() if name not in used]


def _layer(use: Use, shape: Sequence[int], *, normalised: bool) -> Layer:
    weight_shape = tuple(use.weight.shape)
    return Layer(use.layer, use.kind, shape[use.channel_dim], weight_shape, positions(use.kind, shape), normalised)


def _differences(first: tuple[Layer, ...], second: tuple[Layer, ...]) -> list[str]:
    """What differs between the layers of two checkpoints, in words."""
    first_layers, second_layers = {layer.name: layer for layer in first}, {layer.name: layer for layer in second}
    differences = [f"{name!r} is missing" for name in first_layers if name not in second_layers]
    differences += [f"{name!r} is new" for name in second_layers if name not in first_layers]
    for name, layer in first_layers.items():
        other = second_layers.get(name, layer)
        if layer != other:
            differences.append(f"{name!r} is {other.kind} {other.weight_shape}, not {layer.kind} {layer.weight_shape}")
    if not differences and list(first_layers) != list(second_layers):
        differences.append("they are used in another order")
    return differences
