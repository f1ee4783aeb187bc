"""safetensors: a length, a header of JSON, numbers. Each of the three can lie."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from tests.corpus.case import Case, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "epoch_1.safetensors"


def header() -> tuple[dict[str, Any], bytes]:
    """The header and the numbers of a good file."""
    entries: dict[str, Any] = {}
    data = b""
    for name, value in state().items():
        raw = value.numpy().tobytes()
        entries[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    return entries, data


def packed(head: bytes, data: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(head) if length is None else length) + head + data


def changed(change: Callable[[dict[str, Any]], object], extra: bytes = b"") -> Callable[[Path], None]:
    """Writes a good file with its header changed."""

    def make(path: Path) -> None:
        entries, data = header()
        change(entries)
        path.write_bytes(packed(json.dumps(entries).encode(), data + extra))

    return make


def bias(**parts: Any) -> Callable[[Path], None]:
    """With parts of the entry of the last bias changed."""
    return changed(lambda entries: entries["fc2.bias"].update(parts))


def raw(head: bytes, length: int | None = None) -> Callable[[Path], None]:
    """With another header, and the good one's numbers."""

    def make(path: Path) -> None:
        path.write_bytes(packed(head, header()[1], length))

    return make


def good_with(text: str) -> Callable[[Path], None]:
    """With text put before the last brace of the header."""

    def make(path: Path) -> None:
        entries, data = header()
        path.write_bytes(packed((json.dumps(entries)[:-1] + text + "}").encode("utf-8", "surrogatepass"), data))

    return make


_END = header()[1]
CASES = [
    Case(f"safetensors-{name}", "safetensors", make, file=NAME, ends=ends)
    for name, make, ends in [
        ("header-of-2-to-62", raw(b"{}", 2**62), (2,)),
        ("header-of-the-whole-file", raw(b"{}", len(_END) + 2), (2,)),
        ("header-one-too-long", raw(b"{}", len(_END) + 3), (2,)),
        ("header-of-3-gib", raw(b"{}", 3 * 2**30), (2,)),
        ("header-empty", raw(b"", 0), (2,)),
        ("header-of-no-tensors", raw(b"{}"), (2,)),
        ("header-is-a-list", raw(b"[]"), (2,)),
        ("header-is-a-number", raw(b"7"), (2,)),
        ("header-not-utf-8", raw(b'{"\xff\xfe": {}}'), (2,)),
        ("header-utf-16", raw('{"a": 1}'.encode("utf-16")), (2,)),
        ("header-cut", raw(b'{"fc2.bias": {"dtype": "F32", '), (2,)),
        ("header-deep", raw(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), (2,)),
        ("header-deep-objects", raw(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), (2,)),
        ("header-of-spaces", raw(b" " * 2_000_000), (2,)),
        (
            "header-long-number",
            raw(b'{"a": {"dtype": "F32", "shape": [' + b"9" * 100_000 + b'], "data_offsets": [0, 4]}}'),
            (2,),
        ),
        ("header-float-number", raw(b'{"a": {"dtype": "F32", "shape": [1e999], "data_offsets": [0, 4]}}'), (2,)),
        ("header-nan", raw(b'{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 4]}}'), (2,)),
        ("key-twice", good_with(', "fc2.bias": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}'), (2,)),
        ("metadata-twice", good_with(', "__metadata__": {"a": "b"}, "__metadata__": {"a": "c"}'), (0, 2)),
        ("metadata-is-a-list", good_with(', "__metadata__": [1]'), (0, 2)),
        (
            "metadata-of-escapes",
            good_with(', "__metadata__": {"epoch": "\\u001b[31m::error::", "a": "\\ud800"}'),
            (0, 2),
        ),
        ("metadata-epoch-huge", good_with(f', "__metadata__": {{"epoch": "{"9" * 50_000}"}}'), (0, 2)),
        (
            "name-of-escapes",
            changed(lambda entries: entries.update({"\x1b[31m\n::error::": entries.pop("fc2.bias")})),
            (2,),
        ),
        (
            "name-a-lone-surrogate",
            good_with(', "\\ud800": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}'),
            (2,),
        ),
        ("offsets-overlap", bias(data_offsets=[0, 12]), (2,)),
        ("offsets-negative", bias(data_offsets=[-12, 0]), (2,)),
        ("offsets-backwards", bias(data_offsets=[len(_END), len(_END) - 12]), (2,)),
        ("offsets-beyond", bias(data_offsets=[len(_END) - 12 + 2**40, len(_END) + 2**40]), (2,)),
        ("offsets-of-2-to-64", bias(data_offsets=[2**64, 2**64 + 12]), (2,)),
        ("offsets-one", bias(data_offsets=[0]), (2,)),
        ("offsets-of-text", bias(data_offsets=["0", "12"]), (2,)),
        ("offsets-absent", changed(lambda entries: entries["fc2.bias"].pop("data_offsets")), (2,)),
        ("hole", changed(lambda entries: entries.pop("conv2.bias")), (2,)),
        ("hole-at-the-end", changed(lambda _: None, b"\0" * 4096), (2,)),
        ("cut", lambda path: path.write_bytes(packed(json.dumps(header()[0]).encode(), _END[:-100])), (2,)),
        ("shape-of-8-tib", bias(shape=[2**41]), (2,)),
        ("shape-negative", bias(shape=[-3]), (2,)),
        ("shape-product-wraps", bias(shape=[2**32, 2**32, 3]), (2,)),
        ("shape-product-0", bias(shape=[0, 2**62]), (2,)),
        ("shape-of-many-axes", bias(shape=[3] + [1] * 5000), (2,)),
        ("shape-of-booleans", bias(shape=[True, True, True]), (2,)),
        ("shape-of-text", bias(shape="3"), (2,)),
        ("shape-absent", changed(lambda entries: entries["fc2.bias"].pop("shape")), (2,)),
        ("type-unknown", bias(dtype="F33"), (2,)),
        ("type-of-escapes", bias(dtype="\x1b[31mF32"), (2,)),
        ("type-a-list", bias(dtype=["F32"]), (2,)),
        ("type-of-another-size", bias(dtype="F64"), (2,)),
        ("type-sub-byte", bias(dtype="F4", shape=[24]), (2,)),
        (
            "many-tensors",
            changed(
                lambda entries: entries.update(
                    {f"x{n}": {"dtype": "F32", "shape": [0], "data_offsets": [len(_END)] * 2} for n in range(15_000)}
                )
            ),
            (2,),
        ),
        ("entry-is-a-number", changed(lambda entries: entries.update(x=5)), (2,)),
        ("eight-bytes", lambda path: path.write_bytes(struct.pack("<Q", 2)), (2,)),
        ("three-bytes", lambda path: path.write_bytes(b"\x02\0\0"), (2,)),
    ]
]
