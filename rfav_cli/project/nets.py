"""The nets that a project's code makes, told by reading the code and never by running it.

A class whose bases end in a torch module makes a net; so does a function that returns a call of such a class. Which of
them a checkpoint is of is told by the names: what `__init__` sets on `self` begins the names of the weights.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfav_cli.project.files import python_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

LONGEST = 2**20
"""Bytes of a file that is read."""
BASES = frozenset({"Module", "LightningModule", "Sequential", "PreTrainedModel"})
"""What a class of a net is derived from, without the package in front."""


@dataclass(frozen=True)
class WrittenNet:
    """A class or function that makes a net.

    Attributes:
        spec: what `--model` takes: "path/to/file.py:name".
        parts: the names that the net's weights begin with, as far as the code says.
        required: arguments that have no default.
        makes: of a function, the class that it calls, by its specification; empty for a class.
    """

    spec: str
    parts: frozenset[str]
    required: tuple[str, ...] = ()
    makes: str = ""


def written_nets(folder: Path) -> list[WrittenNet]:
    """The nets that the Python files of a folder make; files that cannot be read or parsed make none."""
    modules: list[tuple[str, ast.Module]] = []
    for path in python_files(folder):
        tree = _parsed(path)
        if tree is not None:
            modules.append((path.relative_to(folder).as_posix(), tree))
    classes = {node.name: node for _, tree in modules for node in tree.body if isinstance(node, ast.ClassDef)}
    nets = {
        node.name: f"{file}:{node.name}"
        for file, tree in modules
        for node in tree.body
        if isinstance(node, ast.ClassDef) and _is_net(node, classes, ())
    }
    return [net for name, tree in modules for net in _of_file(name, tree, classes, nets)]


def fitting(nets: Iterable[WrittenNet], weights: Sequence[str]) -> list[WrittenNet]:
    """Those nets that a checkpoint may be of, the likeliest first.

    Args:
        nets: as `written_nets` gives them.
        weights: the names in a state_dict.

    Returns:
        Those whose parts begin all the names, or all but those that a wrapper has put in front; what needs no
        arguments first. A class that a function makes is left out for that function.
    """
    beginnings = [{name.split(".")[depth] for name in weights if name.count(".") > depth} for depth in range(3)]
    found = [net for net in nets if net.parts and any(begun and begun <= net.parts for begun in beginnings)]
    # A function that makes a class makes it as its author wants it made.
    made = {net.makes for net in found if net.makes and not net.required}
    found = [net for net in found if net.spec not in made]
    return sorted(found, key=lambda net: (bool(net.required), not net.makes, len(net.parts), net.spec))


def _parsed(path: Path) -> ast.Module | None:
    try:
        if path.stat().st_size > LONGEST:
            return None
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _of_file(
    file: str, tree: ast.Module, classes: dict[str, ast.ClassDef], nets: dict[str, str]
) -> Iterator[WrittenNet]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in nets:
            init = _init(node, classes)
            yield WrittenNet(f"{file}:{node.name}", _parts(node, classes, ()), _required(init, skip=1) if init else ())
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            made = next((name for name in _returned(node) if name in nets), None)
            if made is not None:
                parts = _parts(classes[made], classes, ())
                yield WrittenNet(f"{file}:{node.name}", parts, _required(node), nets[made])


def _is_net(node: ast.ClassDef, classes: dict[str, ast.ClassDef], visited: tuple[str, ...]) -> bool:
    """Whether a class is derived from a torch module, by way of the project's own classes."""
    for name in _bases(node):
        if name in BASES:
            return True
        if name in classes and name not in visited and _is_net(classes[name], classes, (*visited, node.name)):
            return True
    return False


def _bases(node: ast.ClassDef) -> list[str]:
    return [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]


def _parts(node: ast.ClassDef, classes: dict[str, ast.ClassDef], visited: tuple[str, ...]) -> frozenset[str]:
    """What a class and those that it is derived from set on `self`."""
    names = {
        target.attr
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Assign, ast.AnnAssign))
        for target in (inner.targets if isinstance(inner, ast.Assign) else [inner.target])
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    }
    for base in _bases(node):
        if base in classes and base not in visited:
            names |= _parts(classes[base], classes, (*visited, node.name))
    return frozenset(names)


def _init(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], visited: tuple[str, ...] = ()
) -> ast.FunctionDef | None:
    """The `__init__` of a class, or the one that it is given by a base of the project's own."""
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return inner
    for base in _bases(node):
        if base in classes and base not in visited:
            found = _init(classes[base], classes, (*visited, node.name))
            if found is not None:
                return found
    return None


def _required(function: ast.FunctionDef, skip: int = 0) -> tuple[str, ...]:
    """Arguments without a default, but for the first ones."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    without = positional[skip : len(positional) - len(arguments.defaults)]
    named = [each for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return tuple(each.arg for each in (*without, *named))


def _returned(function: ast.FunctionDef) -> Iterator[str]:
    """The names of what a function calls to make what it returns, directly or by a variable."""
    called = {
        target.id: _called(inner.value)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Assign)
        for target in inner.targets
        if isinstance(target, ast.Name)
    }
    for inner in ast.walk(function):
        if isinstance(inner, ast.Return) and inner.value is not None:
            if isinstance(inner.value, ast.Name):
                yield called.get(inner.value.id, "")
            else:
                yield _called(inner.value)


def _called(value: ast.expr) -> str:
    """The name of what is called, through methods such as `Net().to(device)`; empty where nothing is."""
    while isinstance(value, ast.Call):
        if isinstance(value.func, ast.Name):
            return value.func.id
        if not isinstance(value.func, ast.Attribute):
            return ""
        inner = value.func.value
        if not isinstance(inner, ast.Call):
            return value.func.attr
        value = inner
    return ""
