"""What a pickle holds in place of objects: their names and what they were given, as data that does nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_OF_MODULES = ("_parameters", "_buffers", "_modules")
_LONGEST_NAMES = 2**24
"""Characters of all names of a net's tensors together; those of the largest nets have a hundredth of it."""
_MOST_LOOKED_AT = 10_000
_FIRST = 4
_PLAIN = ("builtins", "__builtin__", "collections", "copyreg", "_codecs", "numpy", "torch", "typing")
"""Packages whose objects need no word: containers, numbers, arrays, sizes and types."""


@dataclass(frozen=True)
class Name:
    """A class or function that a pickle names. It is not looked up, and there is nothing to call.

    Attributes:
        kind: its dotted name, as the file has it: text from the file.
    """

    kind: str


class StandIn:
    """An object that a pickle describes: what it would be made from. Two of them are never equal.

    It has no method that the language calls by itself and takes no attribute from the file, so that nothing that is
    done to it can reach what a file chose.

    Attributes:
        kind: the dotted name of its class, or of the function that would make it: text from the file.
        args: what that would be called with.
        state: what it would be given afterwards, its attributes as a rule; None without.
        items: elements that would be put into it; None without.
        entries: what would be put into it by keys; None without.
    """

    __slots__ = ("args", "entries", "items", "kind", "state")

    def __init__(self, kind: str, args: tuple[Any, ...] = (), items: list[Any] | None = None) -> None:
        self.kind = kind
        self.args = args
        self.state: Any = None
        self.items = items
        self.entries: dict[Any, Any] | None = None

    def mappings(self) -> Iterator[Mapping[Any, Any]]:
        """What it holds by name: its attributes, its entries, and dictionaries that its class would be called with."""
        # Attributes in slots come second of two. Of what it is called with no more is looked at: many may share it.
        parts = self.state if isinstance(self.state, tuple) and len(self.state) == 2 else (self.state,)
        return (part for part in (*parts, *self.args[:_FIRST], self.entries) if isinstance(part, Mapping))

    def elements(self) -> list[Any]:
        """What it holds where it stands for a set or a list."""
        given = self.args[0] if len(self.args) == 1 else None
        return self.items or (given if isinstance(given, list) else [])


class EndlessNetError(ValueError):
    """A file holds more than any training saves; it says what, in words."""


@dataclass
class Room:
    """How much all nets of a file may take.

    Attributes:
        left: characters of names, and entries that are looked at or copied.
    """

    left: int = _LONGEST_NAMES

    def take(self, count: int) -> None:
        """Take a part of it.

        Raises:
            EndlessNetError: there is not as much left.
        """
        self.left -= count
        if self.left < 0:
            raise EndlessNetError("a net without end")


def is_module(attributes: Mapping[Any, Any]) -> bool:
    """Whether these are the attributes of an nn.Module."""
    return all(isinstance(_get(attributes, name), Mapping) for name in _OF_MODULES)


def module_weights(attributes: Mapping[Any, Any], room: Room) -> dict[str, Tensor]:
    """The state_dict of a pickled nn.Module: its parameters, persistent buffers and those of the modules in it.

    Args:
        attributes: of the module, as `is_module` takes them.
        room: for the names.

    Returns:
        Dotted name -> tensor.

    Raises:
        EndlessNetError: it holds itself, or has more names than any net.
    """
    weights: dict[str, Tensor] = {}
    waiting = [("", attributes)]
    while waiting:
        prefix, own = waiting.pop()
        room.take(_size(own))
        held, modules = _own_weights(own), _items(_get(own, "_modules"))
        room.take(len(prefix) * (len(held) + len(modules)) + sum(map(len, held)))
        inner = [(f"{prefix}{name}.", part) for name, module in modules if (part := _attributes(name, module))]
        room.take(sum(len(longer) for longer, _ in inner))
        weights |= {prefix + key: value for key, value in held.items()}
        waiting += reversed(inner)
    return weights


def passed_over(content: Any) -> list[str]:
    """Dotted names of the objects that content holds and that were not made, in order; containers and arrays apart.

    It looks no further than a training's own state is large.
    """
    kinds: set[str] = set()
    waiting, looked_at, seen = deque([content]), 0, set()
    while waiting and looked_at < _MOST_LOOKED_AT:
        looked_at += 1
        value = waiting.popleft()
        if isinstance(value, Name | StandIn) and value.kind.partition(".")[0] not in _PLAIN:
            kinds.add(value.kind)
        if id(value) in seen or not isinstance(value, Mapping | list | tuple | StandIn):
            continue
        seen.add(id(value))
        if isinstance(value, StandIn):
            if any(is_module(part) for part in value.mappings()):
                continue
            waiting.extend((value.args, value.state, value.items, value.entries))
        elif isinstance(value, Mapping):
            waiting.extend(inner for _, inner in _items(value))
        else:
            waiting.extend(value)
    return sorted(kinds)


def _own_weights(attributes: Mapping[Any, Any]) -> dict[str, Tensor]:
    from torch import Tensor  # takes its time, and who only looks at stand-ins needs none

    passing = set(_names_of_passing(attributes))
    buffers = ((key, value) for key, value in _items(_get(attributes, "_buffers")) if key not in passing)
    held = (*_items(_get(attributes, "_parameters")), *buffers)
    return {key: value for key, value in held if isinstance(key, str) and isinstance(value, Tensor)}


def _names_of_passing(attributes: Mapping[Any, Any]) -> list[str]:
    """Names of the buffers that a state_dict leaves out."""
    passing = _get(attributes, "_non_persistent_buffers_set")
    elements = passing.elements() if isinstance(passing, StandIn) else []
    return [name for name in elements if isinstance(name, str)]


def _size(attributes: Mapping[Any, Any]) -> int:
    """How much there is to look at in a module: nothing of it is looked at for nothing."""
    mappings = (_get(attributes, name) for name in _OF_MODULES)
    return 1 + sum(map(len, mappings)) + len(_names_of_passing(attributes))


def _attributes(name: Any, module: Any) -> Mapping[Any, Any] | None:
    parts = module.mappings() if isinstance(module, StandIn) and isinstance(name, str) else ()
    return next((part for part in parts if is_module(part)), None)


def _items(mapping: Any) -> ItemsView[Any, Any]:
    """What a mapping holds; not by its own `items`, which a file may have put another thing in place of."""
    return dict.items(mapping) if isinstance(mapping, dict) else mapping.items()


def _get(mapping: Mapping[Any, Any], key: str) -> Any:
    return dict.get(mapping, key) if isinstance(mapping, dict) else mapping.get(key)
