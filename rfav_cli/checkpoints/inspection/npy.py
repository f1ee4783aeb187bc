"""An array as `numpy.save` writes it."""

from __future__ import annotations

import ast
from math import prod
from typing import IO, TYPE_CHECKING, Any

from rfav_cli.checkpoints.pickle_findings import report_names, report_problem
from rfav_cli.checkpoints.pickle_walk import Walked, walk, walk_nested
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "numpy array"
MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 2**16
WHY_NOT = "numbers of numpy: samples for --probe, but no checkpoint"


def recognises(source: Source) -> bool:
    """Whether it begins as such files do."""
    return source.head.startswith(MAGIC)


def inspect(source: Source, look: Look) -> None:
    """Look at its header; where it holds objects, walk through their pickle."""
    look.readable, look.why_not = False, WHY_NOT
    source.file.seek(0)
    inspect_array(source.path.stem, source.file, source.size, look)


def inspect_array(name: str, file: IO[bytes], size: int, look: Look) -> None:
    """Look at one array.

    Args:
        name: that it is taken down by.
        file: at its beginning.
        size: its bytes, header and all.
        look: takes it down.
    """
    shown = printable(name, 120)
    start = file.read(8)
    width = 2 if start[6:7] == b"\x01" else 4
    length = int.from_bytes(file.read(width), "little")
    header = _header(file.read(min(length, _LONGEST_HEADER))) if length <= _LONGEST_HEADER else None
    if header is None or not start.startswith(MAGIC):
        look.find("incomplete", f"damaged: {shown!r} has no header of an array")
        return
    kind, shape = header
    room = size - 8 - width - length
    if "O" in kind:
        look.tensor(name, shape, "objects", room)
        walked = Walked()
        for _ in walk(file, room, walked):
            break
        walk_nested(walked)
        look.find("objects", f"{shown!r} is an array of objects, which numpy unpickles where allow_pickle is given")
        report_names(walked, look, shown)
        if not walked.whole or walked.problem:
            report_problem(walked, look, shown)
        return
    look.tensor(name, shape, kind, room)
    itemsize = _itemsize(kind)
    if itemsize and prod(shape) * itemsize != room:
        look.find("incomplete", f"damaged or cut off: {shown!r} has {room:,} bytes, its shape needs another number")


def _header(text: bytes) -> tuple[str, tuple[int, ...]] | None:
    """Type and shape; None where it is no header."""
    try:
        fields: Any = ast.literal_eval(text.decode("latin-1").strip())
        kind, shape = fields["descr"], fields["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        return None
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 2**63 for n in shape):
        return None
    return (kind if isinstance(kind, str) else repr(kind))[:200], shape


def _itemsize(kind: str) -> int | None:
    """Bytes of one number; None where that takes more than a look."""
    digits = kind[2:]
    return (
        int(digits) if kind[:1] in "<>|=" and kind[1:2] in "biufcS" and digits.isdecimal() and len(digits) < 9 else None
    )
