"""Files of torch.save whose pickles are put together by hand, instruction by instruction."""

from __future__ import annotations

import pickle
import struct
import zipfile
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NUMBERS = np.arange(6, dtype="<f4")
"""What the storage "0" of each file holds."""


def text(words: str) -> bytes:
    raw = words.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def whole(number: int) -> bytes:
    if -(2**31) <= number < 2**31:
        return b"J" + struct.pack("<i", number)
    raw = pickle.encode_long(number)
    return b"\x8b" + struct.pack("<i", len(raw)) + raw


def name(dotted: str) -> bytes:
    """A name of a module and of what is in it, the last dot between them; a colon where it is another."""
    module, _, inner = dotted.partition(":") if ":" in dotted else dotted.rpartition(".")
    return b"c" + module.encode() + b"\n" + inner.encode() + b"\n"


def several(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def mapping(entries: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"


def call(dotted: str, *args: bytes) -> bytes:
    return name(dotted) + several(*args) + b"R"


def claim(
    count: bytes, *, kind: bytes = b"", key: bytes = b"", typename: str = "storage", more: tuple[bytes, ...] = ()
) -> bytes:
    parts = (text(typename), kind or name("torch.FloatStorage"), key or text("0"), text("cpu"), count, *more)
    return several(*parts) + b"Q"


def tensor(
    storage: bytes = b"", offset: bytes = b"", size: bytes = b"", stride: bytes = b"", more: tuple[bytes, ...] = ()
) -> bytes:
    """By default the one of 2 x 3 of all numbers."""
    size, stride = size or several(whole(2), whole(3)), stride or several(whole(3), whole(1))
    rest = (b"\x89", call("collections.OrderedDict"), *more)
    return call("torch._utils._rebuild_tensor_v2", storage or claim(whole(6)), offset or whole(0), size, stride, *rest)


def save(path: Path, body: bytes, protocol: int = 2) -> Path:
    """An archive of a pickle, with one storage."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", bytes([0x80, protocol]) + body + b".")
        archive.writestr("net/data/0", NUMBERS.tobytes())
    return path


def save_beside(path: Path, value: bytes, protocol: int = 2) -> Path:
    """An archive of {"model": {"weight": the tensor}, "zz": a value}."""
    return save(path, mapping({"model": mapping({"weight": tensor()}), "zz": value}), protocol)


def save_legacy(path: Path, body: bytes, keys: bytes = b"](" + text("0") + b"e", numbers: bytes | None = None) -> Path:
    """A file of the format before archives."""
    head = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    parts = [b"\x80\x02" + part + b"." for part in (body, keys)]
    content = struct.pack("<q", NUMBERS.size) + NUMBERS.tobytes() if numbers is None else numbers
    path.write_bytes(b"".join(head + parts) + content)
    return path
