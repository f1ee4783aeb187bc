"""Safetensors: a JSON header and the bytes of tensors, with nothing to run in it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.checkpoints import state_dicts
from rfav_cli.checkpoints.json_files import MOST_BYTES, json_object
from rfav_cli.checkpoints.opened import Part, cut_short, opened
from rfav_cli.checkpoints.saved import Saved
from rfav_cli.checkpoints.storages import Room, Storages
from rfav_cli.errors import CheckpointError
from rfav_cli.files.regular import open_regular
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.checkpoints.opened import Opened
    from rfav_cli.records import Payload

_LONGEST_HEADER = 100_000_000
"""By the format; of one longer than `MOST_BYTES` nothing is read."""
_TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "C64": "complex64",
    "BOOL": "bool",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
}
_METADATA = "__metadata__"
_MOST_DIMENSIONS = 64
_REMEDY = "Copy or save the file again, or leave it out."


def recognises(path: Path) -> bool:
    """Whether the file begins with the length of a JSON header and its brace."""
    with open_regular(path) as file:
        head = file.read(9)
    return head[8:] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= _LONGEST_HEADER


def read(path: Path, _: ReadOptions) -> Payload:
    """Read the weights.

    Raises:
        CheckpointError: the file is damaged or holds no weights, or changes meanwhile.
    """
    content, digest = content_of(path)
    return replace(state_dicts.payload_of(path, content), epoch=stored_number(path, "epoch"), sha256=digest)


def content_of(path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file by their names, and its digest.

    Raises:
        CheckpointError: the file is damaged, or changes meanwhile.
    """
    with saved(path) as found:
        found.fill_all()
        content: dict[str, Tensor] = found.content
        return content, found.digest()


@contextmanager
def saved(path: Path) -> Iterator[Saved]:
    """The tensors of a file by their names, while it is open.

    Raises:
        CheckpointError: the file is damaged, or changes meanwhile.
    """
    with opened(path) as file:
        header, start = _header(file)
        storages = _Storages(file)
        yield Saved(dict(storages.tensors(header, start)), storages)


def stored_epoch(path: Path, _: ReadOptions) -> int | None:
    """The `epoch` in the header's `__metadata__`, where the one who saved the file put a whole number there."""
    return stored_number(path, "epoch")


def stored_number(path: Path, *names: str) -> int | None:
    """The first whole number by one of some names in the header's `__metadata__`, whose values are text."""
    try:
        with opened(path) as file:
            metadata = _header(file)[0].get(_METADATA)
    except (CheckpointError, OSError):
        return None  # a damaged header, which reading will tell
    told = [metadata[name] for name in names if name in metadata] if isinstance(metadata, dict) else []
    numbers = [
        int(text) for text in told if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 10
    ]
    return next(iter(numbers), None)


def _header(file: Opened) -> tuple[dict[str, Any], int]:
    """The header, and the place of the first byte after it."""
    length = int.from_bytes(file.read(0, 8), "little")
    if length > MOST_BYTES:
        raise CheckpointError(f"{file.path}: its header is longer than any net's", _REMEDY)
    return json_object(file.path, file.read(8, length)), 8 + length


class _Storages(Storages):
    """The storages of a file: one a tensor, one after the other, without a gap."""

    def tensors(self, header: dict[str, Any], start: int) -> Iterator[tuple[str, Tensor]]:
        """The tensors by their names, without their numbers.

        Raises:
            CheckpointError: the header is not that of the bytes after it.
        """
        at = start
        try:
            entries = [(name, *_entry(described)) for name, described in header.items() if name != _METADATA]
            for name, dtype, shape, begin, end in sorted(entries, key=lambda entry: entry[3:]):
                if begin + start != at or prod(shape) * dtype.itemsize != end - begin or start + end > self._file.size:
                    raise ValueError("a place that it does not have")
                at = start + end
                room = Room(torch.UntypedStorage(end - begin), dtype, Part(name, start + begin, end - begin))
                self._put(name, room)
                yield name, torch.empty(0, dtype=dtype).set_(room.storage, 0, (prod(shape),), (1,)).view(shape)
        except _UnknownTypeError as error:
            raise CheckpointError(f"{self._file.path}: {error}", "Save it in another type, such as float32.") from None
        except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:  # the last of torch, of shapes
            raise CheckpointError(f"{self._file.path}: damaged or cut off", _REMEDY) from error
        if at != self._file.size:
            raise cut_short(self._file.path)


class _UnknownTypeError(ValueError):
    """A tensor is of a type that is not known; it says which."""


def _entry(described: Any) -> tuple[torch.dtype, tuple[int, ...], int, int]:
    """Type, shape, first byte and the one after the last."""
    name, shape, (begin, end) = described["dtype"], described["shape"], described["data_offsets"]
    dtype = getattr(torch, _TYPES.get(name, ""), None)
    if dtype is None:
        raise _UnknownTypeError(f"holds numbers of type {printable(name, 20)!r}, which this version does not know")
    if len(shape) > _MOST_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**63 for n in (*shape, begin, end)):
        raise ValueError("no shape")
    return dtype, tuple(shape), begin, end
