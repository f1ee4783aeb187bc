"""The graphs that torch makes of the code in a TorchScript archive, looked through before any of it runs.

Torch makes them of all code that the archive's classes lead to, and only afterwards, as it makes objects of the
pickle, calls `__setstate__` methods. So the code is compiled alone here, in an archive whose pickle has no more than
the names of the classes, and what the operators are is told by torch itself, whatever the text looked like.
"""

from __future__ import annotations

import io
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.checkpoints.operators import ON_TRUST, not_allowed
from rfav_cli.graphs import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_ROOT = "archive/"
_KEPT = ("code/", "constants/", "constants.pkl", "version", "byteorder", ".data/", ".format_version")
_NOTES = ".debug_pkl"
_EMPTY = "rfav_empty_module"
_CODE = "class {name}(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n  kept : Any\n"
_NOT_IN_LOADING = ON_TRUST | {"aten::warn"}
"""Torch prints warnings at once, as the archive words them."""
_ENUMERATIONS = {"ScalarType": range(27), "Layout": range(1), "MemoryFormat": range(4)}
"""By torch's name -> the numbers that nets have: all types of numbers up to those of 8 bits, tensors with strides."""
_GIVE_TYPES = ("aten::get_autocast_dtype", "aten::result_type")
"""Operators that give the number of a type; arithmetic may give any."""
_CASTS = ("prim::unchecked_cast", "prim::unchecked_unwrap_optional")


def compile_alone(members: Mapping[str, Any], classes: Iterable[str]) -> Any:
    """Let torch compile the code of an archive, without any object being made.

    Args:
        members: name -> a function that reads it.
        classes: qualified names of all classes that the code defines.

    Raises:
        RuntimeError: torch cannot compile it.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            if name.startswith(_KEPT) and not name.endswith(_NOTES):
                archive.writestr(_ROOT + name, content())
        archive.writestr(f"{_ROOT}code/__torch__/{_EMPTY}.py", _CODE.format(name=_EMPTY))
        archive.writestr(f"{_ROOT}data.pkl", _names_alone(classes))
    unit: Any = torch._C.CompilationUnit()
    load_into(unit, buffer.getvalue(), torch.device("cpu"))
    return unit


def load_into(unit: Any, content: bytes, device: torch.device) -> Any:
    """What an archive holds, its code compiled into a unit; `torch.jit.load` keeps its unit to itself."""
    read: Any = torch._C.import_ir_module_from_buffer  # whose stub is of another version
    return read(unit, content, device, {}, False)


def _names_alone(classes: Iterable[str]) -> bytes:
    """A pickle of an empty module that has the names of classes, which torch looks up as it reads them."""

    def name(qualified: str) -> bytes:
        module, _, last = qualified.rpartition(".")
        return f"c{module}\n{last}\n".encode()

    def text(word: str) -> bytes:
        return b"X" + len(word).to_bytes(4, "little") + word.encode()

    names = b"(" + b"".join(map(name, classes)) + b"t"
    state = b"}(" + text("training") + b"\x89" + text("kept") + names + b"u"
    return b"\x80\x02" + name(f"__torch__.{_EMPTY}.{_EMPTY}") + b")\x81" + state + b"b."


def refused(unit: Any) -> list[str]:
    """What a program from untrusted hands may not use, of all functions and methods that were compiled."""
    functions = unit.get_functions()
    found = [node for function in functions for node in _all_nodes(function.graph)]
    kinds = not_allowed(node.kind() for node in found)
    casts = {f"{node.kind()} to {node.output().type()}" for node in found if not _is_safe(node)}
    loading = [f"{kind} in __setstate__" for kind in sorted(_kinds_as_it_loads(functions) & _NOT_IN_LOADING)]
    enumerations = {f"{node.kind()} with a {word} that is none" for node in found for word in _wrong_enumerations(node)}
    return [*kinds, *sorted(casts), *sorted(enumerations), *loading]


def mute(unit: Any) -> None:
    """Take the warnings out of all functions: they would reach the terminal as the archive words them."""
    for function in unit.get_functions():
        for node in [node for node in _all_nodes(function.graph) if node.kind() == "aten::warn"]:
            node.destroy()


def _all_nodes(block: Any) -> Iterator[Any]:
    """The operators of a graph, those of what it forks too."""
    for node in nodes(block):
        yield node
        if node.hasAttribute("Subgraph"):
            yield from _all_nodes(node.g("Subgraph"))


def _is_safe(node: Any) -> bool:
    """Whether what a node takes for an object of a class is one: torch counts its attributes without a look at it."""
    if node.kind() not in _CASTS:
        return True
    given, made = str(next(iter(node.inputs())).type()), str(node.output().type())
    return "__torch__" not in made or given in (made, f"Optional[{made}]")


def _wrong_enumerations(node: Any) -> Iterator[str]:
    """What of an operator's types of numbers, layouts and formats is none: torch looks each up in a table unseen."""
    if not node.kind().startswith("aten::") or (text := node.schema()) == "(no schema)":
        return
    for word, given in zip(_enumerations_in(text), node.inputs(), strict=False):
        source = given.node()
        if not word or source.mustBeNone():
            continue
        if source.kind() == "prim::Constant":
            value = source.i("value") if source.hasAttribute("value") and source.kindOf("value") == "i" else -1
            if value not in _ENUMERATIONS[word]:
                yield word
        elif source.kind().startswith("aten::") and source.kind() not in _GIVE_TYPES:
            yield word


@cache
def _enumerations_in(schema: str) -> list[str]:
    """Of each argument of an operator, which enumeration it is of; empty for all others."""
    kinds = [str(argument.real_type) for argument in torch._C.parse_schema(schema).arguments]
    return [next((word for word in _ENUMERATIONS if kind in (word, f"Optional[{word}]")), "") for kind in kinds]


def _kinds_as_it_loads(functions: Sequence[Any]) -> set[str]:
    """The operators of `__setstate__` methods, and of what these call by any name: they run before anything is done."""
    named: dict[str, list[Any]] = {}
    for function in functions:
        named.setdefault(function.name, []).append(function)
    pending, seen, kinds = ["__setstate__"], {"__setstate__"}, set()
    while pending:
        for function in named.get(pending.pop(), ()):
            for node in _all_nodes(function.graph):
                kinds.add(node.kind())
                called = {node.s("name")} if node.hasAttribute("name") and node.kindOf("name") == "s" else set()
                pending += called - seen
                seen |= called
    return kinds
