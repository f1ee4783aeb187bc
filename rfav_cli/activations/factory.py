"""`--model SPEC`: from a specification to a callable that makes the net, with fresh weights (none are downloaded)."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from rfav_cli.errors import ModelError, RfavError
from rfav_cli.nets import ZOO
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

FORMS = "package.module:factory, path/to/file.py:factory, torchvision:NAME, timm:NAME or zoo:NAME"
"""What `--model` takes."""


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
        find, folder = _LIBRARIES[library], Path.cwd()
        _refuse_pretrained(keywords)
        factory: Any = find(name)
    else:
        source, _, name = spec.rpartition(":")
        if not (source and name):
            raise ModelError(f"--model {printable(spec)}: it names no factory", f"Write {FORMS}.")
        folder = Path(source).resolve().parent if source.endswith(".py") else Path.cwd()
        with _importable(folder):
            factory = _find_attribute(_import(source), source, name)
    if isinstance(factory, nn.Module):
        return _factory_of_net(factory, spec, keywords)
    if not callable(factory):
        raise ModelError(
            f"--model {printable(spec)}: an object of type {type(factory).__name__} is no factory",
            "Name a function or class that returns a torch.nn.Module.",
        )
    return lambda: _call(factory, spec, keywords, folder)


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


def _call(factory: Callable[..., Any], spec: str, keywords: Mapping[str, Any], folder: Path) -> nn.Module:
    try:
        with _importable(folder):
            net = factory(**keywords)
    except RfavError:
        raise
    except Exception as error:
        fits = _fits(factory, keywords)
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


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let modules of a folder be imported, as `python -m` does, for the time of the block only."""
    entry = str(folder)
    sys.path.insert(0, entry)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def _import(source: str) -> ModuleType:
    try:
        return _import_file(Path(source)) if source.endswith(".py") else _import_module(source)
    except (Exception, SystemExit) as error:  # a module runs what its author wrote, argument parsers included
        if isinstance(error, RfavError):
            raise
        raise ModelError(
            f"--model {printable(source)}: importing it raised {named(error, part='all')}",
            "Put that right, or move the factory to a module that imports without it.",
        ) from error


def _import_module(name: str) -> ModuleType:
    try:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ModuleNotFoundError(name=name)
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ModelError(
            f"--model {printable(name)}: there is no module {printable(error.name)}",
            "Run rfav in the folder that holds it, install it, or give the file as path/to/file.py:factory.",
        ) from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ModelError(f"--model {printable(path)}: there is no such file", "Give the path of a Python file.")
    name = f"_rfav_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"--model {printable(path)}: not a Python file", "Give the path of a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and TorchScript look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _find_attribute(owner: Any, source: str, dotted: str) -> Any:
    for name in dotted.split("."):
        if not hasattr(owner, name):
            public = [member for member in dir(owner) if not member.startswith("_")]
            raise _unknown(f"--model {printable(source)}", name, public, "Name a function or class in it.")
        owner = getattr(owner, name)
    return owner


def _zoo(name: str) -> Callable[..., nn.Module]:
    if name not in ZOO:
        raise _unknown("--model zoo", name, ZOO, f"The nets are {', '.join(ZOO)}.")
    return ZOO[name]


def _torchvision(name: str) -> Callable[..., nn.Module]:
    models = _import_extra("torchvision", "torchvision.models")
    names = models.list_models()
    if name not in names:
        raise _unknown("--model torchvision", name, names, "torchvision.models.list_models() gives all names.")
    builder: Callable[..., nn.Module] = models.get_model_builder(name)
    # Detectors and segmenters fetch their backbone's weights by default.
    none = {key: None for key in _PRETRAINED if key in inspect.signature(builder).parameters}
    return lambda **keywords: builder(**none, **keywords)


def _timm(name: str) -> Callable[..., nn.Module]:
    timm = _import_extra("timm", "timm")
    if not timm.is_model(name):
        raise _unknown("--model timm", name, timm.list_models(), "timm.list_models() gives all names.")
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


def _unknown(where: str, name: str, names: Iterable[str], otherwise: str) -> ModelError:
    close = get_close_matches(name, list(names), n=3)
    return ModelError(
        f"{where}: there is no {printable(name)}", f"Did you mean {' or '.join(close)}?" if close else otherwise
    )
