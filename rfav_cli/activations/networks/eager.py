"""Nets made by the user's own code (`--model`), with weights from state_dicts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from rfav_cli.activations.foreign_weights import ForeignWeightsError
from rfav_cli.activations.hooks import (
    Hook,
    StopForward,
    bare,
    find_hooks,
    hooked,
    norm_scale,
    norm_shift,
    plain_forward,
    refresh_weights,
)
from rfav_cli.activations.loading import WeightLoader
from rfav_cli.activations.matching import shapes
from rfav_cli.activations.memory_format import laid_out
from rfav_cli.activations.misfit import Entered, unfit
from rfav_cli.activations.net_maker import NetMaker
from rfav_cli.activations.network import Activation, Network, Sink, Trace
from rfav_cli.activations.norm_input import NormInput, input_of_module
from rfav_cli.activations.suggested_model import suggested_model
from rfav_cli.activations.trace import Observer
from rfav_cli.errors import CheckpointError, ModelError
from rfav_cli.inputs import arguments_of, call, count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.inputs import Arguments, Inputs
    from rfav_cli.records import Candidate, HeldLayer, Nonlinearity, Payload


def open_network(payload: Payload, options: OpenOptions) -> EagerNetwork:
    """Make the net and load the checkpoint into it.

    Raises:
        ModelError: there is no `--model`, or it makes no nn.Module.
        CheckpointError: the weights are not those of the net.
    """
    if options.make_model is None:
        largest: Candidate = max(payload.content, key=lambda candidate: len(candidate.weights))
        raise ModelError(
            f"{payload.path}: a state_dict needs --model, the code that makes its net",
            f"Give {suggested_model(payload) or '--model package.module:factory'}. The file holds\n"
            f"{shapes(largest.weights)}",
        )
    maker = options.make_model
    make_model = functools.partial(maker.make, payload, options.notes) if isinstance(maker, NetMaker) else maker
    network = open_fresh(make_model, options)
    try:
        network.load(payload)
    except ForeignWeightsError as error:
        remedy = maker.remedy(payload, error.outputs) if isinstance(maker, NetMaker) else ""
        if not remedy:
            raise
        raise CheckpointError(error.what, remedy) from error
    return network


def open_fresh(make_model: Callable[[], nn.Module], options: OpenOptions) -> EagerNetwork:
    """Make the net with the weights that its code gives it; raises ModelError where that is no eager nn.Module."""
    model = make_model()
    if not isinstance(model, nn.Module) or isinstance(model, torch.jit.ScriptModule):
        raise ModelError(
            f"--model {options.model_name}: makes a {type(model).__name__}, not an eager torch.nn.Module",
            "Name a function or class that returns the net.",
        )
    return EagerNetwork(model, options)


class EagerNetwork(Network):
    """One warm net, `model`, read by forward hooks."""

    kind: ClassVar[str] = "eager"

    def __init__(self, model: nn.Module, options: OpenOptions) -> None:
        while isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        self._own_types = _types_beside_float32(model)
        self.model = model.float().eval().to(options.device)
        self._options = options
        self._weights = WeightLoader(self.model, options.notes, options.weights)
        self._hooks = find_hooks(self.model)
        self._norms: Mapping[str, _BatchNorm] = {}
        self._affine: dict[str, tuple[Tensor, Tensor]] = {}
        self._scales: dict[str, Tensor] = {}
        self._nonlinearities: Mapping[str, Nonlinearity | None] = {}
        self._before_norms: frozenset[str] = frozenset()
        self._steps_first: frozenset[str] = frozenset()
        convolutions = (nn.Conv2d, nn.ConvTranspose2d)
        planes = [p for m in model.modules() if isinstance(m, convolutions) for p in m.parameters()]
        self._planes = [(p, None if is_lazy(p) else p.stride()) for p in planes]
        self.has_planes = bool(planes)

    def load(self, payload: Payload) -> None:
        """See `Network.load`."""
        maker = self._options.make_model
        self._weights.load(maker.own(payload) if isinstance(maker, NetMaker) else payload)
        self._arrange()
        refresh_weights(self._hooks)
        self._scale()

    def trace(self, inputs: Inputs) -> Trace:
        """See `Network.trace`."""
        observer = Observer(self.model)
        try:
            observer.run(self.arranged(inputs))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            current = None if observer.current is None else _entered(*observer.current, first=not observer.reached)
            observer = Observer(self.model)
            if not self._runs_in_its_own_types(observer, inputs):
                raise unfit(inputs, error, current, self._try) from error
        self._hooks = observer.hooks(count(inputs))
        self._norms = observer.folded(self._hooks)
        self._nonlinearities = observer.nonlinearities(self._norms)
        self._before_norms = observer.before_norms()
        self._steps_first = observer.steps_first(count(inputs))
        self._scale()
        return observer.trace(count(inputs))

    def forward(self, inputs: Inputs, sink: Sink, *, unmeasured: bool = False) -> Any:
        """See `Network.forward`."""

        def read_output(hook: Hook, output: Tensor) -> bool:
            if unmeasured and not (isinstance(output, Tensor) and output.is_floating_point()):
                return False
            if hook.name in self._steps_first and output.ndim == 3:
                output = output.transpose(0, 1)
            bias = None if self._options.with_bias or hook.module.bias is None else hook.module.bias.detach()
            scale, norm = self._scales.get(hook.name), self._affine.get(hook.name)
            return sink(Activation(hook.name, output, hook.channel_dim, bias, scale, norm))

        try:
            hooks = find_hooks(self.model) if unmeasured else self._hooks
            with plain_forward(), hooked(hooks, read_output):
                return call(self.model, self.arranged(inputs))
        except StopForward:
            return None

    def _runs_in_its_own_types(self, observer: Observer, inputs: Inputs) -> bool:
        """Give a net that does not run in float32 the types that its code made it with, where it runs in these."""
        if not self._own_types:
            return False
        _convert(self.model, self._own_types)
        try:
            observer.run(self.arranged(inputs))
        except torch.OutOfMemoryError:
            raise
        except Exception:  # what a net raises can be anything; what is told is why it does not run in float32
            self.model.float()
            return False
        return True

    def _try(self, inputs: Inputs) -> None:
        with plain_forward():
            call(self.model, inputs)

    def filters(self, layer: str, *, folded: bool = True) -> Tensor:
        """See `Network.filters`."""
        rows = next(hook for hook in self._hooks if hook.name == layer).filters()
        scale = self._scales.get(layer) if folded else None
        return rows if scale is None else rows * scale.view(rows.shape[0], rows.shape[1], 1)

    def norm_input(self, inputs: Inputs) -> NormInput | None:
        """See `Network.norm_input`."""
        return input_of_module(self.model, self.arranged(inputs))

    def arguments(self) -> Arguments | None:
        """See `Network.arguments`."""
        return arguments_of(self.model.forward)

    def held(self) -> tuple[HeldLayer, ...]:
        """See `Network.held`."""
        return tuple(hook.held() for hook in find_hooks(self.model))

    def normalised(self) -> Mapping[str, bool]:
        """See `Network.normalised`."""
        return {name: name in self._affine for name in sorted({*self._before_norms, *self._affine})}

    def nonlinearity(self, layer: str) -> Nonlinearity | None:
        """See `Network.nonlinearity`."""
        return self._nonlinearities.get(layer)

    def use_channels_last(self, wanted: bool) -> None:
        """See `Network.use_channels_last`."""
        super().use_channels_last(wanted)
        self._arrange()

    def batch_statistics(self) -> tuple[str, ...]:
        """See `Network.batch_statistics`."""
        modules = self.model.named_modules()
        return tuple(bare(name) for name, m in modules if isinstance(m, _BatchNorm) and m.running_mean is None)

    def _arrange(self) -> None:
        """Lay the convolutions' weights out channels last where the images are, else as the net's owner has them."""
        for weight, own in self._planes:
            if is_lazy(weight) or weight.ndim != 4:
                continue
            if self.channels_last:
                weight.data = laid_out(weight.data, channels_last=True)
            elif own is not None and weight.stride() != own:
                weight.data = torch.empty_strided(weight.shape, own, dtype=weight.dtype, device=weight.device).copy_(
                    weight.data
                )

    def _scale(self) -> None:
        scales = {name: norm_scale(norm) for name, norm in self._norms.items()}
        self._affine = {
            name: (scale, norm_shift(self._norms[name], scale)) for name, scale in scales.items() if scale is not None
        }
        self._scales = {name: scale for name, (scale, _) in self._affine.items()} if self._options.fold_norm else {}


def _types_beside_float32(model: nn.Module) -> dict[str, torch.dtype]:
    """The types of a net's floating-point parameters and buffers that are not float32, by their names."""
    held = (*model.named_parameters(), *model.named_buffers())
    return {name: tensor.dtype for name, tensor in held if tensor.is_floating_point() and tensor.dtype != torch.float32}


def _convert(model: nn.Module, types: Mapping[str, torch.dtype]) -> None:
    held = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    for name, dtype in types.items():
        held[name].data = held[name].data.to(dtype)


def _entered(hook: Hook, given: tuple[int, ...], *, first: bool) -> Entered:
    module, weight = hook.module, tuple(hook.module.weight.shape)
    if hook.kind == "Linear":
        return Entered(hook.name, hook.kind, weight, given, module.in_features, first=first)
    reach: tuple[int, ...] = ()
    if "Transpose" not in hook.kind and not isinstance(module.padding, str):
        sizes = zip(module.kernel_size, module.dilation, module.padding, strict=True)
        reach = tuple((size - 1) * dilation + 1 - 2 * padding for size, dilation, padding in sizes)
    return Entered(hook.name, hook.kind, weight, given, module.in_channels, reach, first)
