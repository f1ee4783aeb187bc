"""What enters a net: one tensor, or several by the names of the arguments of its forward."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Inputs = Tensor | dict[str, Tensor]
"""(n, ...), or name of an argument -> (n, ...); a name of decimal digits is the place of a positional argument."""


class Together(dict[str, Tensor]):
    """Several inputs of a net whose forward takes them as one argument, a dict."""


@dataclass(frozen=True)
class Arguments:
    """What a net's forward takes.

    Attributes:
        names: of its arguments, in their order.
        required: those among them that have no default.
        more: it takes any others as well, so that the names say little (`**kwargs`, `*args`).
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    more: bool = False


def arguments_of(forward: Callable[..., Any]) -> Arguments | None:
    """What a function takes; None where it does not tell."""
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        return None
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    required = tuple(p.name for p in named if p.default is p.empty)
    return Arguments(tuple(p.name for p in named), required, len(named) < len(parameters))


def tensors(inputs: Inputs) -> tuple[Tensor, ...]:
    """Each of the inputs."""
    return (inputs,) if isinstance(inputs, Tensor) else tuple(inputs.values())


def count(inputs: Inputs) -> int:
    """How many samples there are."""
    return len(tensors(inputs)[0])


def size(inputs: Inputs) -> int:
    """How many bytes they are."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors(inputs))


def device(inputs: Inputs) -> torch.device:
    """Where the inputs are."""
    return tensors(inputs)[0].device


def changed(inputs: Inputs, change: Callable[[Tensor], Tensor]) -> Inputs:
    """What a function makes of each of the inputs, under their names."""
    if isinstance(inputs, Tensor):
        return change(inputs)
    return type(inputs)({name: change(tensor) for name, tensor in inputs.items()})


def copied(inputs: Inputs) -> Inputs:
    """A copy, since a net may work on its inputs in place."""
    return changed(inputs, Tensor.clone)


def taken(inputs: Inputs, rows: slice) -> Inputs:
    """Some of the samples."""
    return changed(inputs, lambda tensor: tensor[rows])


def joined(parts: Sequence[Inputs]) -> Inputs:
    """The samples of several inputs of one kind, one after the other."""
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat([part for part in parts if isinstance(part, Tensor)])
    return type(first)({name: torch.cat([part[name] for part in parts if isinstance(part, dict)]) for name in first})


def split(inputs: Inputs, size: int) -> list[Inputs]:
    """The samples in pieces of at most so many."""
    return [taken(inputs, slice(start, start + size)) for start in range(0, count(inputs), size)]


def described(inputs: Inputs) -> str:
    """The shape of a sample, in words.

    >>> described(torch.zeros(2, 3, 8, 8)), described({"image": torch.zeros(2, 8), "age": torch.zeros(2)})
    ('3x8x8', 'image 8, age one number')
    """
    if isinstance(inputs, Tensor):
        return "x".join(map(str, inputs.shape[1:])) or "one number"
    return ", ".join(f"{printable(name, 80)} {described(tensor)}" for name, tensor in inputs.items())


def positional(inputs: dict[str, Tensor]) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Several inputs as positional arguments and those that have names."""
    places = sorted((name for name in inputs if name.isdecimal()), key=int)
    return [inputs[name] for name in places], {name: each for name, each in inputs.items() if not name.isdecimal()}


def call(net: Callable[..., Any], inputs: Inputs) -> Any:
    """Run a net on its inputs."""
    if isinstance(inputs, Tensor):
        return net(inputs)
    if isinstance(inputs, Together):
        return net(dict(inputs))
    args, kwargs = positional(inputs)
    return net(*args, **kwargs)
