"""One small forward that finds out what each layer does: whether it is used, how often, in what shape."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rfav_cli.activations.consumers import Consumers
from rfav_cli.activations.dispatch import CONVOLUTIONS, FUSED, convolution_kind
from rfav_cli.activations.hooks import STANDARD, Hook, bare, find_hooks, hooked, plain_forward
from rfav_cli.activations.layer_kinds import (
    ALONE,
    COMPUTED,
    DENSE,
    LAZY,
    QUANTISED,
    UNUSED,
    are_steps_first,
    positions,
    problem_of_shapes,
)
from rfav_cli.activations.network import Trace
from rfav_cli.activations.parts import Part
from rfav_cli.inputs import call
from rfav_cli.records import Layer, SkippedLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rfav_cli.inputs import Inputs
    from rfav_cli.records import Nonlinearity

_PRODUCTS = frozenset({"mm", "addmm", "bmm", "baddbmm", "matmul", "linear", "convolution", "einsum"})


class WeightsSeen(TorchDispatchMode):
    """Notes the addresses of the tensors that operators read, and what takes the outputs of layers.

    Attributes:
        anywhere: of all of them.
        in_products: of those that are applied to activations, or are activations.
        convolved: the weight of each convolution outside of every layer -> the kind of that convolution.
        consumers: what takes the outputs of layers that are added to it.
    """

    def __init__(self, in_layer: Callable[[], bool]) -> None:
        TorchDispatchMode.__init__(self)
        self.anywhere: set[int] = set()
        self.in_products: set[int] = set()
        self.convolved: dict[int, str] = {}
        self.consumers = Consumers()
        self._in_layer = in_layer

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Not: torch would import its whole compiler, for over a second, just to keep it away from this mode."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operator and note its inputs."""
        inputs = {t.data_ptr() for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor) and t.numel()}
        self.anywhere |= inputs
        if func.overloadpacket.__name__ in _PRODUCTS or func.overloadpacket in FUSED:
            self.in_products |= inputs
        if func.overloadpacket in CONVOLUTIONS and not self._in_layer():
            self.convolved[args[1].data_ptr()] = convolution_kind(args)
        output = func(*args, **(kwargs or {}))
        self.consumers.see(func, args, kwargs or {}, output)
        return output


class Observer:
    """Watches one forward of a net and tells what it saw.

    Attributes:
        current: the layer that the forward entered last, and the shape that it was given.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._hooks = find_hooks(model)
        # The forward gives a lazy layer weights of its own.
        self._lazy = {hook.name for hook in self._hooks if any(is_lazy(p) for p in hook.module.parameters())}
        self._forget()

    @property
    def reached(self) -> bool:
        """Whether the forward came out of a layer."""
        return bool(self._uses)

    def _forget(self) -> None:
        self.current: tuple[Hook, tuple[int, ...]] | None = None
        # Outputs are kept while the forward runs, since an address says nothing once its tensor is gone.
        self._uses: dict[str, list[Any]] = {}
        self._version: dict[int, int] = {}
        self._norms: dict[int, list[_BatchNorm]] = {}
        self._weights = WeightsSeen(lambda: self.current is not None)

    def run(self, inputs: Inputs) -> None:
        """Run the net on a few samples, from a clean slate."""
        self._forget()
        with ExitStack() as stack:
            stack.enter_context(plain_forward())
            for hook in self._hooks:
                if isinstance(hook.module, Part):
                    continue
                handle = hook.module.register_forward_pre_hook(partial(self._on_entry, hook), with_kwargs=True)
                stack.callback(handle.remove)
            for norm in self._model.modules():
                if isinstance(norm, _BatchNorm) and norm.running_var is not None:
                    stack.callback(norm.register_forward_pre_hook(self._on_norm, with_kwargs=True).remove)
            stack.enter_context(hooked(self._hooks, self._on_output))
            stack.enter_context(self._weights)
            output = call(self._model, inputs)
        self._weights.consumers.finish(output)

    def hooks(self, samples: int) -> list[Hook]:
        """The layers that can be measured, by their first use."""
        by_name = {hook.name: hook for hook in self._hooks}
        return [by_name[name] for name in self._uses if not self._problem(by_name[name], samples)]

    def trace(self, samples: int) -> Trace:
        """The layers that can be measured and those that cannot.

        Args:
            samples: n, how many the forward was given.
        """
        hooks = self.hooks(samples)
        layers = tuple(self._layer(hook, samples) for hook in hooks)
        measured = {layer.name for layer in layers}
        skipped = [
            SkippedLayer(hook.name, self._problem(hook, samples)) for hook in self._hooks if hook.name not in measured
        ]
        uses = {hook.name: len(self._uses[hook.name]) for hook in hooks}
        return Trace(layers, uses, (*skipped, *self._quantised(), *self._unowned_weights(), *self._computed()))

    def folded(self, hooks: Sequence[Hook]) -> dict[str, _BatchNorm]:
        """The batch normalisation of each layer whose outputs all go, as they are, into that one alone."""
        norm_of = {}
        for hook in hooks:
            outputs = self._uses[hook.name]
            norms = [norm for output in outputs for norm in self._norms.get(id(output), [])]
            channels_fit = hook.kind not in DENSE or all(output.ndim == 2 for output in outputs)
            each_once = all(len(self._norms.get(id(output), [])) == 1 for output in outputs)
            if channels_fit and each_once and len({id(norm) for norm in norms}) == 1:
                norm_of[hook.name] = norms[0]
        return norm_of

    def nonlinearities(self, norms: Mapping[str, _BatchNorm]) -> dict[str, Nonlinearity | None]:
        """What follows each layer that was used, or the normalisation that follows it (`folded`); None if not known."""
        consumers = self._weights.consumers
        return {name: consumers.nonlinearity(name, normalised=name in norms) for name in self._uses}

    def before_norms(self) -> frozenset[str]:
        """The layers of which an output goes into a normalisation of any kind."""
        return frozenset(name for name in self._uses if self._weights.consumers.normalised(name))

    def _on_entry(self, hook: Hook, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        samples = args[0] if args else kwargs.get("input")
        self.current = (hook, tuple(samples.shape)) if isinstance(samples, Tensor) else None

    def _on_output(self, hook: Hook, output: Any) -> bool:
        self._uses.setdefault(hook.name, []).append(output)
        if isinstance(output, Tensor):
            if not output.is_inference():  # whether those are written to is not known
                self._version[id(output)] = output._version
            self._weights.consumers.add(hook.name, output)
        self.current = None
        return False

    def _on_norm(self, norm: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        values = args[0] if args else kwargs.get("input")
        if (
            isinstance(norm, _BatchNorm)
            and isinstance(values, Tensor)
            and not values.is_inference()
            and self._version.get(id(values)) == values._version
        ):
            self._norms.setdefault(id(values), []).append(norm)

    def _problem(self, hook: Hook, samples: int) -> str:
        """Why a layer cannot be measured; empty where it can."""
        if hook.name in self._lazy:
            return LAZY
        if hook.name not in self._uses:
            used = any(p.data_ptr() in self._weights.anywhere for p in hook.module.parameters() if p.numel())
            return ALONE if used else UNUSED
        outputs = self._uses[hook.name]
        for output in outputs:
            if isinstance(output, str):
                return output
            if not isinstance(output, Tensor) or not output.is_floating_point():
                return f"its output is no tensor of floating-point numbers but {type(output).__name__}"
        return problem_of_shapes(hook.kind, self._shapes(hook, samples), samples)

    def steps_first(self, samples: int) -> frozenset[str]:
        """The layers whose outputs are (T, n, D).

        Args:
            samples: n.
        """
        return frozenset(
            hook.name
            for hook in self._hooks
            if hook.name in self._uses
            and all(isinstance(output, Tensor) for output in self._uses[hook.name])
            and are_steps_first(hook.kind, [output.shape for output in self._uses[hook.name]], samples)
        )

    def _shapes(self, hook: Hook, samples: int) -> list[tuple[int, ...]]:
        """The shapes of a layer's outputs, the batch first where it is known which axis that is."""
        shapes = [tuple(output.shape) for output in self._uses[hook.name]]
        first = are_steps_first(hook.kind, shapes, samples)
        return [(shape[1], shape[0], *shape[2:]) for shape in shapes] if first else shapes

    def _layer(self, hook: Hook, samples: int) -> Layer:
        shape = self._shapes(hook, samples)[0]
        weight_shape = tuple(hook.module.weight.shape)
        normalised = bool(self.folded([hook]))
        return Layer(
            hook.name, hook.kind, shape[hook.channel_dim], weight_shape, positions(hook.kind, shape), normalised
        )

    def _quantised(self) -> list[SkippedLayer]:
        kinds = {kind.__name__ for kind in STANDARD}
        return [
            SkippedLayer(bare(name), QUANTISED)
            for name, module in self._model.named_modules()
            if any(
                c.__module__.startswith("torch.ao.nn.quantized") and c.__name__ in kinds for c in type(module).__mro__
            )
        ]

    def _unowned_weights(self) -> list[SkippedLayer]:
        """Weights of no standard layer that are applied to activations, such as those of a recurrent layer."""
        owned = {p.data_ptr() for hook in self._hooks for p in hook.module.parameters() if not is_lazy(p)}
        return [
            SkippedLayer(bare(name).removesuffix(".weight"), ALONE)
            for name, p in self._model.named_parameters()
            if not is_lazy(p) and p.ndim > 1 and p.data_ptr() not in owned and p.data_ptr() in self._weights.in_products
        ]

    def _computed(self) -> list[SkippedLayer]:
        """Convolutions outside of every layer whose weight is no parameter."""
        held = {t.data_ptr() for t in (*self._model.parameters(), *self._model.buffers()) if not is_lazy(t)}
        kinds = {kind: None for address, kind in self._weights.convolved.items() if address not in held}
        return [SkippedLayer(COMPUTED.format(kind), ALONE) for kind in kinds]
