"""Nets made by calling a function or class, the user's own or a library's."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rfav_cli.activations import pretrained_nets
from rfav_cli.activations.missing_arguments import CLASSES, asked_for, stored_otherwise, typed
from rfav_cli.activations.net_maker import NetMaker
from rfav_cli.errors import ModelError, RfavError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rfav_cli.records import Payload
    from rfav_cli.user_code import Found


class FactoryMaker(NetMaker):
    """Makes nets by a call.

    Args:
        spec: the specification, for messages.
        found: what is called.
        keywords: what it is given.
        classes: the argument that says how many classes there are, where the signature does not tell.
    """

    def __init__(self, spec: str, found: Found, keywords: Mapping[str, Any], classes: str = "") -> None:
        super().__init__(spec)
        self._classes = classes
        self._found = found
        self._keywords = keywords
        self._kind: pretrained_nets.Kind | None = None
        self._names: frozenset[str] = frozenset()

    def make(self, payload: Payload | None, notes: list[str]) -> nn.Module:
        """See `NetMaker.make`."""
        net = self._call(self._keywords, payload)
        self._kind, self._names = pretrained_nets.kind_of_net(net), frozenset(net.state_dict())
        if payload is not None and (other := stored_otherwise(self._free(), payload)):
            notes.append(
                f"{printable(payload.path)} was made with other arguments than {printable(self.spec)}: {other}"
            )
        return net

    def own(self, payload: Payload) -> Payload:
        """See `NetMaker.own`: nets of transformers' are not saved by the names that they have."""
        if self._kind is None or any(self._names <= candidate.weights.keys() for candidate in payload.content):
            return payload
        try:
            return pretrained_nets.in_own_names(self._kind, payload)
        except torch.OutOfMemoryError:
            raise
        except Exception:  # the user's own class may be made otherwise; what loads the checkpoint says what is wrong
            return payload

    def remedy(self, payload: Payload, outputs: int | None) -> str:
        """See `NetMaker.remedy`."""
        free = self._free()
        if outputs is not None:
            names = [self._classes] if self._classes else [name for name in CLASSES if name in free]
            return f"Add {typed(names[0], outputs)}." if names and names[0] not in self._keywords else ""
        return stored_otherwise(free, payload)

    def _free(self) -> dict[str, Any]:
        """The arguments that it is not given, with their defaults."""
        return {name: value for name, value in _defaults(self._found.value).items() if name not in self._keywords}

    def _call(self, keywords: Mapping[str, Any], payload: Payload | None) -> nn.Module:
        factory = self._found.value
        if missing := _missing(factory, keywords):
            raise asked_for(self.spec, missing, payload)
        try:
            with self._found.importable():
                net = factory(**keywords)
        except RfavError:
            raise
        except Exception as error:
            fits = _fits(factory, keywords)
            remedy = "Give the factory's own arguments with --model-arg KEY=VALUE."
            raise ModelError(
                f"--model {printable(self.spec)}: making the net raised {named(error, part='all')}",
                "Put it right in the factory." if fits else remedy,
            ) from error
        if not isinstance(net, nn.Module):
            raise ModelError(
                f"--model {printable(self.spec)}: it returned an object of type {type(net).__name__}, not a "
                "torch.nn.Module",
                "Return the net itself from the factory.",
            )
        return net


def refuse_pretrained(keywords: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse arguments that ask for weights of the library's.

    Raises:
        ModelError: one of the names is among the arguments.
    """
    for name in names:
        if name in keywords:
            raise ModelError(f"--model-arg {name}: the weights come from the checkpoints", "Leave it out.")


def _missing(factory: Callable[..., Any], keywords: Mapping[str, Any]) -> tuple[str, ...]:
    """The arguments that a function needs and is not given."""
    needed = (name for name, default in _defaults(factory).items() if default is inspect.Parameter.empty)
    return tuple(name for name in needed if name not in keywords)


def _defaults(factory: Callable[..., Any]) -> dict[str, Any]:
    """A function's arguments with their defaults; none where it does not say what it takes."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # a built-in that has no signature
        return {}
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {p.name: p.default for p in parameters if p.kind not in variable}


def _fits(factory: Callable[..., Any], keywords: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(factory).bind(**keywords)
    except TypeError:
        return False
    except ValueError:  # a built-in that has no signature
        return True
    return True
