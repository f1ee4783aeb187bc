"""Nets made by calling a function or class, the user's own or a library's."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from torch import nn

from rfav_cli.activations.missing_arguments import asked_for
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
    """

    def __init__(self, spec: str, found: Found, keywords: Mapping[str, Any]) -> None:
        super().__init__(spec)
        self._found = found
        self._keywords = keywords

    def make(self, payload: Payload | None, notes: list[str]) -> nn.Module:  # noqa: ARG002 - nothing to tell
        """See `NetMaker.make`."""
        return self._call(self._keywords, payload)

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
    """The arguments that a function needs and is not given; none where it does not say what it needs."""
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # a built-in that has no signature
        return ()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = (p.name for p in parameters.values() if p.default is inspect.Parameter.empty and p.kind not in variable)
    return tuple(name for name in needed if name not in keywords)


def _fits(factory: Callable[..., Any], keywords: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(factory).bind(**keywords)
    except TypeError:
        return False
    except ValueError:  # a built-in that has no signature
        return True
    return True
