"""LightningModules, made with the `hyper_parameters` that Lightning keeps beside their weights."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from rfav_cli.activations.factory import FactoryMaker
from rfav_cli.errors import CheckpointError, ModelError
from rfav_cli.text import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from rfav_cli.records import Payload

HYPER_PARAMETERS = "hyper_parameters"
_PACKAGES = frozenset({"lightning", "pytorch_lightning"})
_LISTED = 8
"""Arguments that a note names."""


class Attributes(dict[str, Any]):
    """A dictionary whose entries are attributes as well: an argument for all may be used as either."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        super().__init__(entries)
        self.__dict__ = self  # `vars` gives them, too


def is_lightning_class(thing: Any) -> bool:
    """Whether this is a class of LightningModules, whichever of its packages it is from."""
    return isinstance(thing, type) and _base(thing) is not None


class LightningMaker(FactoryMaker):
    """Makes a LightningModule as `load_from_checkpoint` does: with the arguments that the checkpoint has for it.

    They are data: numbers, texts, and lists and dictionaries of such. What the command gives goes before them.
    """

    _given: dict[str, Any] | None = None

    def make(self, payload: Payload | None, notes: list[str]) -> nn.Module:
        """See `NetMaker.make`."""
        lightning_class = self._found.value
        base = _base(lightning_class)
        if base is not None and lightning_class.forward is getattr(base, "forward", None):
            raise ModelError(
                f"--model {printable(self.spec)}: this LightningModule has no forward",
                "Write a function that makes it and returns the net in it, and give --model path/to/file.py:function.",
            )
        given = {} if payload is None else self._of(payload)
        self._given = None if payload is None else given
        if given:
            notes.append(f"{printable(self.spec)} is made with the checkpoint's hyper_parameters: {_listed(given)}")
        net = self._call({**given, **self._keywords}, payload)
        late: Any = getattr(net, "configure_model", None)
        if late is not None and getattr(late, "__func__", None) is not getattr(base, "configure_model", None):
            with self._found.importable():
                late()
        return net

    def own(self, payload: Payload) -> Payload:
        """See `NetMaker.own`; nothing is renamed."""
        if self._given is not None and (now := self._of(payload)) != self._given:
            other = next(name for name in (*now, *self._given) if now.get(name) != self._given.get(name))
            raise CheckpointError(
                f"{printable(payload.path)}: its hyper_parameters say {printable(other)}={quoted(now.get(other))}, "
                f"those that the net was made with {quoted(self._given.get(other))}",
                "Leave it out, or give the checkpoints of one kind.",
            )
        return payload

    def _of(self, payload: Payload) -> dict[str, Any]:
        """The arguments of the class that a checkpoint has values for, and that the command does not give."""
        held = payload.arguments.get(HYPER_PARAMETERS, {})
        stored = {name: value for name, value in held.items() if not (name.startswith("_") or _names_a_class(value))}
        parameters = inspect.signature(self._found.value).parameters.values()
        anything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
        names = stored if anything else [p.name for p in parameters if p.name in stored]
        return {name: _attributes(stored[name]) for name in names if name not in self._keywords}


def _base(thing: type) -> type | None:
    """LightningModule itself, where a class comes from it."""
    of_lightning = (base for base in thing.__mro__ if base.__name__ == "LightningModule")
    return next((base for base in of_lightning if base.__module__.partition(".")[0] in _PACKAGES), None)


def _names_a_class(value: Any) -> bool:
    """Whether this is what LightningCLI keeps of an object: its class and arguments, which are not followed."""
    return isinstance(value, dict) and "class_path" in value


def _attributes(value: Any) -> Any:
    if isinstance(value, dict):
        return Attributes({key: _attributes(entry) for key, entry in value.items()})
    return value


def _listed(values: dict[str, Any]) -> str:
    shown = [f"{printable(name)}={quoted(value)}" for name, value in list(values.items())[:_LISTED]]
    return ", ".join(shown) + (f" and {len(values) - _LISTED} more" if len(values) > _LISTED else "")
