"""Puts a state_dict into a net by the net's own `load_state_dict`, and looks at what went in.

Hooks and methods of the net's modules rename, reshape and upgrade weights on their way in, so what goes into a weight
is seen only where torch is about to copy it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from rfav_cli.activations.matching import is_optional, unlike_shape
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rfav_cli.activations.matching import Reading

_NEEDED_BUFFERS = ("running_mean", "running_var")
"""Buffers that a forward uses as it uses weights; others, such as indices, a net may make itself."""


@dataclass
class Outcome:
    """What came of putting a state_dict into a net.

    Attributes:
        missing: names of the net that nothing was given for.
        unexpected: given names that no part of the net uses.
        misshapen: name of the net -> "name AxB, the net has CxD".
        mistyped: "name is int8, the net's is float32".
        error: what else the net's code raised, in words.
    """

    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    misshapen: dict[str, str] = field(default_factory=dict)
    mistyped: list[str] = field(default_factory=list)
    error: str = ""

    @classmethod
    def of(cls, reading: Reading) -> Outcome:
        """What would come of it, by the names and shapes alone."""
        return cls(list(reading.missing), list(reading.unexpected), dict(reading.misshapen))

    @property
    def succeeded(self) -> bool:
        """Whether all weights of the net are those given."""
        return not (self.missing or self.unexpected or self.misshapen or self.mistyped or self.error)


def put(model: nn.Module, state: Mapping[str, Any]) -> Outcome:
    """Load a state_dict, strictly; a net that it does not go into stays as it was.

    Strict is meant of the net's own code, too: a weight that nothing was copied into counts as missing.

    Args:
        model: the net.
        state: the weights under the net's names, with `_metadata` where there is any.
    """
    outcome = Outcome()
    seen: set[str] = set()
    restore, untouched = _snapshot(model)
    incompatible: dict[int, Any] = {}
    with _watched(model, outcome, seen, incompatible):
        try:
            model.load_state_dict(state)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # a net's own code can raise anything
            outcome.error = named(error, part="all")
    for keys in incompatible.values():
        outcome.missing += [name for name in keys.missing_keys if name not in outcome.missing]
        outcome.unexpected += [name for name in keys.unexpected_keys if name not in outcome.unexpected]
    if outcome.missing or outcome.unexpected or outcome.misshapen or outcome.mistyped:
        outcome.error = ""  # it says the same, in torch's words
    elif not outcome.error:
        outcome.missing += [name for name in untouched() if name not in seen]
    if not outcome.succeeded:
        restore()
    return outcome


@contextmanager
def _watched(model: nn.Module, outcome: Outcome, seen: set[str], incompatible: dict[int, Any]) -> Iterator[None]:
    """Look at each tensor before it is copied into a weight, and at what torch finds missing or left over."""

    def before(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
        buffers = {name: b for name, b in module._buffers.items() if name not in module._non_persistent_buffers_set}
        for name, own in {**module._parameters, **buffers}.items():
            key = prefix + name
            if own is None or key not in state:
                continue
            seen.add(key)
            if words := unlike_shape(key, state[key], own):
                outcome.misshapen[key] = words
            elif words := unlike_type(key, state[key], own):
                outcome.mistyped.append(words)
                state[key] = own.detach()  # torch would warn of what it loses

    def after(_: nn.Module, keys: Any) -> None:
        incompatible[id(keys.missing_keys)] = keys

    # Named by the class, since a ScriptModule within a net takes no hooks from outside but calls those that it has.
    add_before: Any = nn.Module._register_load_state_dict_pre_hook
    add_after: Any = nn.Module.register_load_state_dict_post_hook
    handles = [add_before(module, before, with_module=True) for module in model.modules()]
    handles += [add_after(module, after) for module in model.modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def unlike_type(name: str, stored: Any, own: Any) -> str:
    """What is to be said where a tensor of the file is not of the kind that goes into a weight; else empty.

    Floating-point types of all widths go into each other; anything else only where no value changes.
    """
    if not (isinstance(stored, Tensor) and isinstance(own, Tensor)) or stored is own or is_optional(name):
        return ""
    if is_lazy(stored) and is_lazy(own):
        return ""
    what = _kind(stored)
    if not what and not is_lazy(stored):
        float_into = own.is_floating_point() and stored.is_floating_point()
        real_into = own.is_complex() and (stored.is_complex() or stored.is_floating_point())
        counts = not (own.is_floating_point() or own.is_complex()) and not stored.is_complex()
        if float_into or real_into or (counts and torch.equal(stored.to(own.dtype).to(stored.dtype), stored)):
            return ""
        what = _short(stored.dtype)
    return f"{printable(name, 120)} is {what}, the net's is {_short(own.dtype)}"


def _kind(stored: Tensor) -> str:
    """What a tensor is that is more, or less, than an array of numbers."""
    if is_lazy(stored):
        return "without a shape"
    if stored.is_meta:
        return "without values (on the meta device)"
    if stored.is_quantized:
        return f"quantised ({_short(stored.dtype)})"
    return "" if stored.layout == torch.strided else f"sparse ({_short(stored.layout)})"


def _short(thing: object) -> str:
    return str(thing).removeprefix("torch.")


def _snapshot(model: nn.Module) -> tuple[Callable[[], None], Callable[[], list[str]]]:
    """Remember a net's weights.

    Returns:
        What puts them back, and what names the weights that are still as they were.
    """
    python = [module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)]
    tables: list[dict[str, Any]] = [table for module in python for table in (module._parameters, module._buffers)]
    before = [(table, dict(table)) for table in tables]
    weights = [own for own in (*model.parameters(), *model.buffers()) if not is_lazy(own)]
    values = {id(own): (own, own.detach().clone(), _version(own)) for own in weights}

    def restore() -> None:
        for table, entries in before:
            table.update(entries)
        for own, value, _ in values.values():
            own.data.copy_(value)

    def untouched() -> list[str]:
        named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
        buffers = {name for name, _ in model.named_buffers(remove_duplicate=False)}
        return [
            name
            for name, own in named
            if (name not in buffers or name.rpartition(".")[2] in _NEEDED_BUFFERS)
            and id(own) in values
            and own.numel()
            and _version(own) == values[id(own)][2]
            and torch.equal(own, values[id(own)][1])
        ]

    return restore, untouched


def _version(tensor: Tensor) -> int:
    """How often a tensor was written to; tensors of inference mode do not count."""
    return 0 if tensor.is_inference() else tensor._version
