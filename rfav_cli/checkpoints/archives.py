"""Archives of programs from untrusted hands: looked through before they are loaded, since loading runs parts of them.

The archive is read by the reader that loads it afterwards, so that both see the same bytes under the same name.
"""

from __future__ import annotations

import re
import zipfile
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import torch

from rfav_cli.checkpoints.zips import UNREADABLE
from rfav_cli.errors import CheckpointError
from rfav_cli.graphs import nodes
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REMEDY = "Nothing of it was run; load such a file only where you trust its author, and save its state_dict instead."

MOST_EXTRA = 16 * 2**20
"""Bytes of files beside a program that are kept when it is saved again; each checkpoint of a training has them."""

_EXTRA = "extra/"
_FORBIDDEN = ("save", "from_file", "load_tensor", "rpc_async", "rpc_sync", "rpc_remote", "PythonOp", "_print")
"""Operators of TorchScript that reach files, other processes, Python or the terminal."""
_NAMESPACES = ("aten", "prim", "quantized", "torchvision")
_GAP = r"(?:\s|\\|#[^\n]*)*"
_FORBIDDEN_CALL = re.compile(rf"\.{_GAP}({'|'.join(_FORBIDDEN)})\b")
_OPS = re.compile(rf"(?<![\w.])ops\b(?!\.(?:{'|'.join(_NAMESPACES)})\.\w| : )")
_GETATTR = re.compile(rf'\bgetattr\b(?!\((?!ops\b|torch\b)[\w.]+, "(?!(?:{"|".join(_FORBIDDEN)})")\w+"\))')
_CLASSES = re.compile(r"torch\.classes\.(?!quantized\b)\w+")


def member_names(path: Path) -> frozenset[str]:
    """The names in a zip archive without their common folder; none where the file is no zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, *UNREADABLE):
        return frozenset()
    return frozenset(names if any("/" not in name for name in names) else (name.split("/", 1)[1] for name in names))


def refuse(path: Path, what: str) -> NoReturn:
    """Raise that a file holds what could do more than compute."""
    raise CheckpointError(f"{path}: refused, it holds {printable(what)!r}", REMEDY)


def members(path: Path) -> dict[str, Callable[[], bytes]]:
    """Name -> a function that reads it."""
    try:
        reader = torch._C.PyTorchFileReader(str(path))
        names = reader.get_all_records()
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: cut off or damaged: {what_it_says(error, part='last')}", "Save or copy it again."
        ) from error
    if len(set(names)) != len(names):
        refuse(path, "two members of one name")

    def read(name: str) -> bytes:
        try:
            content: bytes = reader.get_record(name)
        except RuntimeError as error:
            raise CheckpointError(
                f"{path}: damaged: {what_it_says(error, part='last')}", "Save or copy it again."
            ) from error
        return content

    return {name: partial(read, name) for name in names}


def check_torchscript(path: Path) -> None:
    """Look through the code of a TorchScript archive, whose `__setstate__` methods run as it is loaded.

    Raises:
        CheckpointError: it is damaged, or reaches beyond tensors.
    """
    for name, content in members(path).items():
        if name.endswith(".pkl"):
            if use := _CLASSES.search(content().decode("latin-1")):
                refuse(path, use[0])
        elif name.startswith("code/") and not name.endswith(".debug_pkl"):
            text = content().decode("utf-8", "replace")
            for rule in (_FORBIDDEN_CALL, _OPS, _GETATTR, _CLASSES):
                if use := rule.search(text):
                    refuse(path, text[use.start() : use.start() + 60].splitlines()[0])


def extra_files(path: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What was saved beside a program, as `_extra_files` of `torch.jit.save`.

    Returns:
        Name -> content, and the names of those that are left out: they make more than `MOST_EXTRA` bytes together with
        those before, or would be written elsewhere by who unpacks the archive.

    Raises:
        CheckpointError: the archive is damaged.
    """
    inside = members(path)
    size_of = torch._C.PyTorchFileReader(str(path)).get_record_size
    contents: dict[str, bytes] = {}
    left_out, room = [], MOST_EXTRA
    for member in sorted(name for name in inside if name.startswith(_EXTRA)):
        name = member.removeprefix(_EXTRA)
        if ".." in re.split(r"[/\\]", name) or (size := size_of(member)) > room:
            left_out.append(name)
        else:
            contents[name], room = inside[member](), room - size
    return contents, tuple(left_out)


def check_graphs(path: Path, module: torch.jit.ScriptModule) -> None:
    """Look through the operators of a loaded module before its forward runs.

    Raises:
        CheckpointError: one of them reaches beyond tensors.
    """
    for node in nodes(module.inlined_graph):
        namespace, _, name = node.kind().partition("::")
        if namespace not in _NAMESPACES or name in _FORBIDDEN or name == "Print":
            refuse(path, node.kind())
