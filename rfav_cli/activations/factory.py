"""`--model SPEC`: from a specification to a callable that makes the net, with fresh weights (none are downloaded)."""

from __future__ import annotations

import ast
import importlib
import inspect
from typing import TYPE_CHECKING, Any

from torch import nn

from rfav_cli.errors import ModelError, RfavError
from rfav_cli.nets import ZOO
from rfav_cli.text import named, printable
from rfav_cli.user_code import Found, Wanted, find, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FORMS = "package.module:factory, path/to/file.py:factory, torchvision:NAME, timm:NAME or zoo:NAME"
"""What `--model` takes."""

_WANTED = Wanted("--model", "factory", ModelError)


def make_factory(spec: str, arguments: Sequence[str] = ()) -> Callable[[], nn.Module]:
    """Turn a `--model` specification into a callable that makes the net.

    Args:
        spec: one of `FORMS`. The current folder is importable. The attribute is a function or class that returns the
            net, or the net itself; it may be dotted ("module:Class.make").
        arguments: "key=value" each, given to the function; a value that reads as a Python literal is one, else text.

    Returns:
        A callable without arguments. It raises ModelError where the function fails or returns no net.

    Raises:
        ModelError: the specification does not name a factory; the message says which part of it does not.
    """
    keywords = _parse_arguments(arguments)
    library, _, name = spec.partition(":")
    if library in _LIBRARIES and name:
        _refuse_pretrained(keywords)
        found = Found(_LIBRARIES[library](name), ())
    elif ":" in spec.strip(":"):
        found = find(spec, _WANTED)
    else:
        raise ModelError(f"--model {printable(spec)}: it names no factory", f"Write {FORMS}.")
    factory = found.value
    if isinstance(factory, nn.Module):
        return _factory_of_net(factory, spec, keywords)
    if not callable(factory):
        raise ModelError(
            f"--model {printable(spec)}: an object of type {type(factory).__name__} is no factory",
            "Name a function or class that returns a torch.nn.Module.",
        )
    return lambda: _call(found, spec, keywords)


def _parse_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    keywords: dict[str, Any] = {}
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


def _factory_of_net(net: nn.Module, spec: str, keywords: Mapping[str, Any]) -> Callable[[], nn.Module]:
    if keywords:
        raise ModelError(
            f"--model-arg {printable(next(iter(keywords)))}: {printable(spec)} is a net, it takes no arguments",
            "Leave --model-arg out, or name the function that makes the net.",
        )
    return lambda: net


def _call(found: Found, spec: str, keywords: Mapping[str, Any]) -> nn.Module:
    try:
        with found.importable():
            net = found.value(**keywords)
    except RfavError:
        raise
    except Exception as error:
        fits = _fits(found.value, keywords)
        raise ModelError(
            f"--model {printable(spec)}: making the net raised {named(error, part='all')}",
            "Put it right in the factory." if fits else "Give the factory's own arguments with --model-arg KEY=VALUE.",
        ) from error
    if not isinstance(net, nn.Module):
        raise ModelError(
            f"--model {printable(spec)}: it returned an object of type {type(net).__name__}, not a torch.nn.Module",
            "Return the net itself from the factory.",
        )
    return net


def _fits(factory: Callable[..., Any], keywords: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(factory).bind(**keywords)
    except TypeError:
        return False
    except ValueError:  # a built-in that has no signature
        return True
    return True


def _zoo(name: str) -> Callable[..., nn.Module]:
    if name not in ZOO:
        raise ModelError(*unknown("--model zoo", name, ZOO, f"The nets are {', '.join(ZOO)}."))
    return ZOO[name]


def _torchvision(name: str) -> Callable[..., nn.Module]:
    models = _import_extra("torchvision", "torchvision.models")
    names = models.list_models()
    if name not in names:
        raise ModelError(
            *unknown("--model torchvision", name, names, "torchvision.models.list_models() gives all names.")
        )
    builder: Callable[..., nn.Module] = models.get_model_builder(name)
    # Detectors and segmenters fetch their backbone's weights by default.
    none = {key: None for key in _PRETRAINED if key in inspect.signature(builder).parameters}
    return lambda **keywords: builder(**none, **keywords)


def _timm(name: str) -> Callable[..., nn.Module]:
    timm = _import_extra("timm", "timm")
    if not timm.is_model(name):
        raise ModelError(*unknown("--model timm", name, timm.list_models(), "timm.list_models() gives all names."))
    create: Callable[..., nn.Module] = timm.create_model
    return lambda **keywords: create(name, pretrained=False, **keywords)


_LIBRARIES: Mapping[str, Callable[[str], Callable[..., nn.Module]]] = {
    "zoo": _zoo,
    "torchvision": _torchvision,
    "timm": _timm,
}

_PRETRAINED = ("weights", "weights_backbone", "pretrained", "pretrained_cfg", "checkpoint_path")


def _refuse_pretrained(keywords: Mapping[str, Any]) -> None:
    for key in _PRETRAINED:
        if key in keywords:
            raise ModelError(f"--model-arg {key}: the weights come from the checkpoints", "Leave it out.")


def _import_extra(extra: str, module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ModelError(
            f"--model {extra}: importing {extra} raised {named(error, part='all')}", f"pip install 'rfav-cli[{extra}]'"
        ) from error
