"""`package.module:factory` and `path/to/file.py:factory`: the user's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from rfav_cli.activations.factory import FactoryMaker
from rfav_cli.activations.lightning_modules import LightningMaker, is_lightning_class
from rfav_cli.activations.specs import forms
from rfav_cli.errors import ModelError
from rfav_cli.text import printable
from rfav_cli.user_code import Found, Wanted, find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rfav_cli.activations.net_maker import NetMaker

_WANTED = Wanted("--model", "factory", ModelError)


def maker_of(spec: str, name: str, keywords: Mapping[str, Any]) -> NetMaker:
    """Make nets by a function or class that returns one, or take the net that is named.

    Args:
        spec: the specification.
        name: the same. The current folder is importable; the attribute may be dotted ("module:Class.make").
        keywords: are given to the function.

    Raises:
        ModelError: there is no such module, file or attribute, importing it failed, or it makes no net.
    """
    if ":" not in name.strip(":"):
        raise ModelError(f"--model {printable(spec)}: it names no factory", f"Write {forms()}.")
    return _maker(spec, find(name, _WANTED), keywords)


def maker_of_callable(factory: Callable[..., Any], keywords: Mapping[str, Any]) -> NetMaker:
    """The same for an object that a caller from Python has at hand."""
    name = getattr(factory, "__qualname__", type(factory).__name__)
    return _maker(f"{getattr(factory, '__module__', '')}:{name}", Found(factory, ()), keywords)


def _maker(spec: str, found: Found, keywords: Mapping[str, Any]) -> NetMaker:
    factory = found.value
    if isinstance(factory, nn.Module):
        if keywords:
            raise ModelError(
                f"--model-arg {printable(next(iter(keywords)))}: {printable(spec)} is a net, it takes no arguments",
                "Leave --model-arg out, or name the function that makes the net.",
            )
        return FactoryMaker(spec, Found(lambda: factory, ()), {})
    if not callable(factory):
        raise ModelError(
            f"--model {printable(spec)}: an object of type {type(factory).__name__} is no factory",
            "Name a function or class that returns a torch.nn.Module.",
        )
    return (LightningMaker if is_lightning_class(factory) else FactoryMaker)(spec, found, keywords)
