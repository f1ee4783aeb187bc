"""The graphs that torch makes of the code in a TorchScript archive, looked through before any of it runs.

Torch makes them of all code that the archive's classes lead to, and only afterwards, as it makes objects of the
pickle, calls `__setstate__` methods. So the code is compiled alone here, in an archive whose pickle has no more than
the names of the classes, and what the operators are is told by torch itself, whatever the text looked like.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.checkpoints.operators import is_allowed, not_allowed
from rfav_cli.graphs import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_ROOT = "archive/"
_KEPT = ("code/", "constants/", "constants.pkl", "version", "byteorder", ".data/", ".format_version")
_NOTES = ".debug_pkl"
_EMPTY = "rfav_empty_module"
_CODE = "class {name}(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n  kept : Any\n"
_CASTS = ("prim::unchecked_cast", "prim::unchecked_unwrap_optional")


def compile_alone(members: Mapping[str, Any], classes: Iterable[str]) -> torch._C.CompilationUnit:
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
    unit = torch._C.CompilationUnit()
    torch._C.import_ir_module_from_buffer(unit, buffer.getvalue(), torch.device("cpu"), {}, False)
    return unit


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


def refused(unit: torch._C.CompilationUnit) -> list[str]:
    """What a program from untrusted hands may not use, of all functions and methods."""
    found = {node.kind() for node in _nodes(unit)}
    casts = {f"{node.kind()} of {_kinds(node)}" for node in _nodes(unit) if node.kind() in _CASTS and not _is_safe(node)}
    return not_allowed(found) + sorted(casts)
