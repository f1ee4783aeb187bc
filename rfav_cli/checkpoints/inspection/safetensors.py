"""Safetensors: a JSON header and the bytes of tensors, with nothing to run in it."""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING, Any

from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "safetensors file"
_LONGEST_HEADER = 100_000_000
_MOST_HEADER = 2**25
"""Bytes of a header that are looked through: it takes ten times as much memory."""
_BITS = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}
"""Type of numbers, as the format names it -> bits of one."""


def recognises(source: Source) -> bool:
    """Whether the file begins with the length of a JSON header and its brace."""
    length = int.from_bytes(source.head[:8], "little")
    return source.head[8:9] == b"{" and 2 <= length <= _LONGEST_HEADER


def inspect(source: Source, look: Look) -> None:
    """Hold each tensor of the header against the bytes that follow it."""
    length = int.from_bytes(source.head[:8], "little")
    if length > source.size - 8:
        look.find("incomplete", f"damaged or cut off: a header of {length:,} bytes in a file of {source.size:,}")
        return
    if length > _MOST_HEADER:
        look.find("incomplete", f"a header of {length:,} bytes, more than are looked through")
        return
    try:
        text = source.bytes_at(8, length)
        header = json.loads(text, object_pairs_hook=_Pairs)
        entries = dict(header)
    except (ValueError, TypeError, RecursionError):
        look.find("incomplete", "damaged: the header is no JSON")
        return
    if b"\\u" in text and _has_surrogates(header):
        look.find("refused", "damaged: the header has names that are no text")
    if len(entries) < len(header):
        look.find("refused", "damaged: two tensors of one name")
    metadata = entries.pop("__metadata__", None)
    for key, value in metadata if isinstance(metadata, _Pairs) else ():
        look.say(key, value if isinstance(value, str) else "no text")
    spans = [span for name, described in entries.items() if (span := _span(name, described, look))]
    _check_spans(spans, source.size - 8 - length, look)
    if not entries:
        look.find("no-weights", "holds no tensors")


def _has_surrogates(header: list[tuple[str, Any]]) -> bool:
    """Whether a name has half of a character, which JSON can write and text cannot have."""
    return any(0xD800 <= ord(character) < 0xE000 for name, _ in header for character in name)


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, which may have one name twice."""


def _span(name: str, described: Any, look: Look) -> tuple[int, int] | None:
    """Take down a tensor, and give where its bytes begin and end."""
    shown = printable(name, 120)
    fields = dict(described) if isinstance(described, _Pairs) else {}
    shape, offsets = (_sizes(fields.get(key)) for key in ("shape", "data_offsets"))
    kind = fields.get("dtype")
    if shape is None or offsets is None or len(offsets) != 2 or not isinstance(kind, str):
        look.find("refused", f"damaged: {shown!r} is described as no tensor")
        return None
    if kind not in _BITS:
        look.find("refused", f"{shown!r} is of numbers of a type that is not known, {printable(kind, 40)!r}")
        return None
    start, stop = offsets
    look.tensor(name, shape, kind, max(0, stop - start))
    if (prod(shape) * _BITS[kind] + 7) // 8 != stop - start:
        look.find("refused", f"damaged: {shown!r} has {stop - start:,} bytes, which its shape does not need")
    return start, stop


def _sizes(value: Any) -> tuple[int, ...] | None:
    """Whole numbers from 0 on; None where a value is anything else."""
    fits = type(value) is list and len(value) <= 64 and all(type(n) is int and 0 <= n < 2**63 for n in value)
    return tuple(value) if fits else None


def _check_spans(spans: list[tuple[int, int]], room: int, look: Look) -> None:
    """Say whether the tensors fill the file, one after another."""
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            look.find("refused", "damaged: its tensors do not lie one after another")
            return
        end = stop
    if end > room:
        look.find("refused", f"damaged or cut off: {room:,} bytes, its tensors need {end:,}")
    elif end < room:
        look.find("refused", f"damaged: {room - end:,} bytes that belong to no tensor")
