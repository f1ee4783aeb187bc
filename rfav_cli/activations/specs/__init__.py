"""What `--model` takes; a new kind of specification is one new file and one line here."""

from __future__ import annotations

import ast
from importlib import import_module
from typing import TYPE_CHECKING, Any, overload

from rfav_cli import origins
from rfav_cli.errors import ModelError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rfav_cli.activations.net_maker import NetMaker

SPECS = {
    "code": "module:factory or my/file.py:factory",
    "torchvision": "torchvision:NAME",
    "timm": "timm:NAME",
    "zoo": "zoo:NAME",
    "hf": "hf: or hf:FOLDER",
}
"""Stem of the file in this folder -> what is typed. Each has `maker_of(spec, name, keywords) -> NetMaker`: `name` is
what stands behind the stem and its colon, or all of the specification where no stem of another file begins it."""

DEFAULT = "code"
"""Takes what begins with no other's name."""


@overload
def net_maker(model: None, arguments: Sequence[str] = ()) -> None: ...


@overload
def net_maker(model: str | Callable[..., Any], arguments: Sequence[str] = ()) -> NetMaker: ...


@overload
def net_maker(model: str | Callable[..., Any] | None, arguments: Sequence[str] = ()) -> NetMaker | None: ...


def net_maker(model: str | Callable[..., Any] | None, arguments: Sequence[str] = ()) -> NetMaker | None:
    """What makes the net of `--model`, or None where none is named.

    Args:
        model: one of `SPECS`, or from Python what makes the net.
        arguments: "key=value" each, for what makes the net; a value that reads as a Python literal is one, else text.

    Raises:
        ModelError: the specification names nothing that makes a net; the message says which part of it does not.
    """
    if model is None:
        return None
    keywords = _parse_arguments(arguments)
    if not isinstance(model, str):
        from rfav_cli.activations.specs import code

        return code.maker_of_callable(model, keywords)
    stem, colon, name = model.partition(":")
    kind = stem if colon and stem in SPECS and stem != DEFAULT else DEFAULT
    if kind == stem and not name and SPECS[kind].endswith(":NAME"):
        raise ModelError(f"--model {printable(model)}: it names no net", f"Write {SPECS[kind]}.")
    maker: NetMaker = import_module(f"{__name__}.{kind}").maker_of(model, name if kind == stem else model, keywords)
    return maker


def forms() -> str:
    """All that `--model` takes, in a sentence."""
    *others, last = SPECS.values()
    return f"{', '.join(others)}, or {last}"


def _parse_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    keywords: dict[str, Any] = {}
    if arguments:
        origins.ask("--model-arg")
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if not (equals and key.isidentifier()):
            raise ModelError(f"--model-arg {printable(argument)}: not KEY=VALUE", "Write --model-arg classes=10.")
        if key in keywords:
            raise ModelError(f"--model-arg {printable(key)}: given twice", "Give each argument once.")
        try:
            keywords[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            keywords[key] = text
    return keywords
