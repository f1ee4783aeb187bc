"""Nets made by the user's own code (`--model`), with weights from state_dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from rfav_cli.activations.hooks import (
    Hook,
    StopForward,
    find_hooks,
    hooked,
    norm_scale,
    norm_shift,
    plain_forward,
    refresh_weights,
)
from rfav_cli.activations.matching import Match, complete, match, shapes
from rfav_cli.activations.network import Activation, Network, Sink, Trace
from rfav_cli.activations.trace import Observer
from rfav_cli.errors import CheckpointError, ModelError, SampleError
from rfav_cli.text import named, printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch.nn.modules.batchnorm import _BatchNorm

    from rfav_cli.activations.network import OpenOptions
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
            f"Give --model package.module:factory. The file holds\n{shapes(largest.weights)}",
        )
    network = open_fresh(options.make_model, options)
    network.load(payload)
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
        self.model = model.float().eval().to(options.device)
        self._options = options
        self._hooks = find_hooks(self.model)
        self._norms: Mapping[str, _BatchNorm] = {}
        self._affine: dict[str, tuple[Tensor, Tensor]] = {}
        self._scales: dict[str, Tensor] = {}
        self._nonlinearities: Mapping[str, Nonlinearity | None] = {}
        convolutions = (nn.Conv2d, nn.ConvTranspose2d)
        self._planes = [p for m in model.modules() if isinstance(m, convolutions) for p in m.parameters()]
        self._channels_last = bool(self._planes)

    def load(self, payload: Payload) -> None:
        """See `Network.load`."""
        expected = self.model.state_dict()
        matches = [(candidate, match(expected, candidate.weights)) for candidate in payload.content]
        fitting = [(candidate, names) for candidate, names in matches if names.fits]
        if not fitting:
            raise _misfit(payload.path, matches)
        taken, names = fitting[0]
        if len(fitting) > 1:
            self._note(taken, [candidate for candidate, _ in fitting])
        # Updated rather than made anew: the net's own dictionary says which versions of its modules its names are of.
        expected.update(complete(expected, taken.weights, names.pairs))
        try:
            self.model.load_state_dict(expected, strict=True)
        except (RuntimeError, LookupError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{payload.path}: {what_it_says(error, part='all')}", "Give the checkpoints of this net."
            ) from error
        self._arrange()
        refresh_weights(self._hooks)
        self._scale()

    def trace(self, images: Tensor) -> Trace:
        """See `Network.trace`."""
        observer = Observer(self.model)
        try:
            try:
                observer.run(self.arranged(images))
            except RuntimeError:
                if not self._channels_last:
                    raise
                self.use_default_format()
                observer.run(self.arranged(images))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            raise _unfit(images, observer, error) from error
        self._hooks = observer.hooks(len(images))
        self._norms = observer.folded(self._hooks)
        self._nonlinearities = observer.nonlinearities(self._norms)
        self._scale()
        return observer.trace(len(images))

    def forward(self, images: Tensor, sink: Sink) -> Any:
        """See `Network.forward`."""

        def read_output(hook: Hook, output: Tensor) -> bool:
            bias = None if self._options.with_bias or hook.module.bias is None else hook.module.bias.detach()
            scale, norm = self._scales.get(hook.name), self._affine.get(hook.name)
            return sink(Activation(hook.name, output, hook.channel_dim, bias, scale, norm))

        try:
            with plain_forward(), hooked(self._hooks, read_output):
                return self.model(self.arranged(images))
        except StopForward:
            return None

    def filters(self, layer: str) -> Tensor:
        """See `Network.filters`."""
        rows = next(hook for hook in self._hooks if hook.name == layer).filters()
        scale = self._scales.get(layer)
        return rows if scale is None else rows * scale.view(rows.shape[0], rows.shape[1], 1)

    def held(self) -> tuple[HeldLayer, ...]:
        """See `Network.held`."""
        return tuple(hook.held() for hook in find_hooks(self.model))

    def nonlinearity(self, layer: str) -> Nonlinearity | None:
        """See `Network.nonlinearity`."""
        return self._nonlinearities.get(layer)

    def use_default_format(self) -> None:
        """Take batches in the default memory format from now on: `x.view(len(x), -1)` needs it."""
        self._channels_last = False
        self._arrange()

    def arranged(self, images: Tensor) -> Tensor:
        """A batch, of whatever memory format, in the one that the net takes."""
        planes = self._channels_last and images.ndim == 4
        return images.contiguous(memory_format=torch.channels_last if planes else torch.contiguous_format)

    def _arrange(self) -> None:
        """Lay the convolutions' weights out as the images are: channels last is what CPUs and GPUs are fastest in."""
        layout = torch.channels_last if self._channels_last else torch.contiguous_format
        for weight in self._planes:
            if not is_lazy(weight) and weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=layout)

    def _scale(self) -> None:
        scales = {name: norm_scale(norm) for name, norm in self._norms.items()}
        self._affine = {
            name: (scale, norm_shift(self._norms[name], scale)) for name, scale in scales.items() if scale is not None
        }
        self._scales = {name: scale for name, (scale, _) in self._affine.items()} if self._options.fold_norm else {}

    def _note(self, taken: Candidate, fitting: list[Candidate]) -> None:
        names = ", ".join(repr(candidate.name) for candidate in fitting)
        note = f"took {taken.name!r} of {printable(names)}"
        if note not in self._options.notes:
            self._options.notes.append(note)


def _misfit(path: Path, matches: list[tuple[Candidate, Match]]) -> CheckpointError:
    nearest = min((names for _, names in matches), key=lambda names: names.distance)
    return CheckpointError(
        f"{path}: not a checkpoint of this net: {nearest.differences()}",
        "Give the --model that these weights were saved from, or leave the file out.",
    )


def _unfit(images: Tensor, observer: Observer, error: Exception) -> SampleError:
    shape = "x".join(map(str, images.shape[1:]))
    what = f"the net does not run on samples of {shape}: {named(error, part='last')}"
    if observer.current is None:
        return SampleError(what, "Give samples of the shape that the net was trained on.")
    hook, input_shape = observer.current
    weight = hook.module.weight
    axis, unit = (-1, "features") if hook.kind == "Linear" else (1, "channels")
    takes = hook.module.in_features if hook.kind == "Linear" else hook.module.in_channels
    has = input_shape[axis] if len(input_shape) > 1 else input_shape[0]
    remedy = f"{hook.name} takes {takes} {unit}, it was given {has}: --gray, --resize or another probe."
    return SampleError(f"{what} (in {hook.name}, weight {'x'.join(map(str, weight.shape))})", remedy)
