"""Hooks on the layers of an eager net: what they are, and how their outputs and weights are read."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from rfav_cli.activations.layer_kinds import channel_dim, filter_rows
from rfav_cli.activations.parts import Part, outputs, parts_of
from rfav_cli.records import HeldLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from torch.nn.modules.batchnorm import _BatchNorm

STANDARD: tuple[type[nn.Module], ...] = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Linear,
)
"""The layers that are measured, their subclasses too."""


class StopForward(BaseException):
    """Ends a forward from inside a hook; no Exception, so that a net's own `except Exception` lets it pass."""


@dataclass(frozen=True)
class Hook:
    """A layer of the net that can be hooked: its dotted name, itself, and its standard class."""

    name: str
    module: Any
    kind: str

    @property
    def owner(self) -> nn.Module:
        """The module that is hooked: of a part the one that it is part of."""
        owner: nn.Module = self.module.owner if isinstance(self.module, Part) else self.module
        return owner

    @property
    def channel_dim(self) -> int:
        """Where the channels are in its output."""
        return channel_dim(self.kind)

    def held(self) -> HeldLayer:
        """The layer as its net holds it."""
        learnt = [p for p in self.module.parameters() if not is_lazy(p)]
        shape = () if len(learnt) < len(list(self.module.parameters())) else tuple(self.module.weight.shape)
        return HeldLayer(self.name, self.kind, shape, sum(p.numel() for p in learnt))

    def filters(self) -> Tensor:
        """The weights of each filter in a row: (groups, D / groups, weights of one filter), float32."""
        return filter_rows(self.kind, self.module.weight, getattr(self.module, "groups", 1))


def find_hooks(model: nn.Module) -> list[Hook]:
    """Each standard layer of the net once, by its first name (`bare`), in the order in which the net holds them.

    So is each linear map within attention and recurrent layers (`parts_of`).
    """
    found, within = [], set()
    for name, module in model.named_modules():
        parts = parts_of(module)
        found += [Hook(bare(f"{name}.{part.key}" if name else part.key), part, kind) for kind, part in parts]
        if parts and isinstance(module, nn.MultiheadAttention):
            within.add(module.out_proj)
        if module not in within:
            found += [Hook(bare(name), module, kind.__name__) for kind in STANDARD if isinstance(module, kind)]
    return found


def bare(name: str) -> str:
    """The name of a module or a weight as it is where no part of the net is compiled."""
    return ".".join(part for part in name.split(".") if part != "_orig_mod")


@contextmanager
def hooked(hooks: Sequence[Hook], read: Callable[[Hook, Any], bool]) -> Iterator[None]:
    """Give each output of the layers to `read` as it arises; the forward ends with StopForward when it returns True."""

    def on_output(hook: Hook, *call: Any) -> None:
        if read(hook, call[-1]):
            raise StopForward

    def on_owner(parts: dict[str, Hook], owner: nn.Module, *call: Any) -> None:
        for key, values in outputs(owner, *call):
            if key in parts:
                on_output(parts[key], values)

    whole = [hook for hook in hooks if not isinstance(hook.module, Part)]
    handles = [hook.module.register_forward_hook(partial(on_output, hook), prepend=True) for hook in whole]
    owners: dict[nn.Module, dict[str, Hook]] = {}
    for hook in hooks:
        if isinstance(hook.module, Part):
            owners.setdefault(hook.owner, {})[hook.module.key] = hook
    handles += [
        owner.register_forward_hook(partial(on_owner, parts), prepend=True, with_kwargs=True)
        for owner, parts in owners.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def plain_forward() -> Iterator[None]:
    """No gradients, nothing compiled, attention in Python: its fused form passes by the modules that it is made of."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), uncompiled():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def uncompiled() -> AbstractContextManager[Any]:
    """What `torch.compile` has made is run as it was written: hooks would have it made anew, at length and with noise.

    Where its compiler was not imported yet, nothing was compiled, and importing it takes over a second.
    """
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()


def refresh_weights(hooks: Iterable[Hook]) -> None:
    """Recompute the weights that `torch.nn.utils.weight_norm` and `spectral_norm` derive before each forward."""
    for hook in hooks:
        for derive in hook.owner._forward_pre_hooks.values():
            if isinstance(derive, (WeightNorm, SpectralNorm)):
                derive(hook.owner, ())


def norm_scale(norm: _BatchNorm) -> Tensor | None:
    """What a batch normalisation multiplies channels by: gamma / sqrt(running variance + eps), (D,) float32."""
    if norm.running_var is None:
        return None
    scale = (norm.running_var.float() + norm.eps).rsqrt()
    return scale if norm.weight is None else scale * norm.weight.detach().float()


def norm_shift(norm: _BatchNorm, scale: Tensor) -> Tensor:
    """What a batch normalisation adds to channels that it has multiplied: beta - running mean * scale, (D,) float32."""
    shift = scale.new_zeros(scale.shape) if norm.running_mean is None else norm.running_mean.float() * -scale
    return shift if norm.bias is None else shift + norm.bias.detach().float()
