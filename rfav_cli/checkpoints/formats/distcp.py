"""What `torch.distributed.checkpoint` wrote: a folder with `.metadata` and files of pieces of tensors.

FSDP in transformers and accelerate puts one into `pytorch_model_fsdp_0/`; Lightning's has `meta.pt` beside it.
"""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rfav_cli.checkpoints import state_dicts
from rfav_cli.checkpoints.distcp_metadata import METADATA, Entry, Piece, read_metadata
from rfav_cli.checkpoints.formats import huggingface, state_dict
from rfav_cli.checkpoints.integrity import check_archive
from rfav_cli.checkpoints.pickles import load_part
from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Payload

_INNER = "pytorch_model_fsdp_0"
_LIGHTNING = "meta.pt"
_REMEDY = "Copy or save the folder again, or leave it out."
_SMALL = 2**20
"""Bytes of a number as torch saves it, and more."""


def recognises(path: Path) -> bool:
    """Whether it, or the folder in it that FSDP writes, says of itself what lies in its `.distcp` files."""
    return _place(path) is not None


def weight_files(path: Path) -> list[Path]:
    """All files of pieces, and what says where in them each tensor lies."""
    place = _place(path) or path
    return [place / METADATA, *sorted(file for file in place.glob("*.distcp") if file.is_file())]


def read(path: Path, options: ReadOptions) -> Payload:
    """Read the tensors, those of optimizers apart; nothing of it is run.

    Raises:
        CheckpointError: the folder is damaged or incomplete, or leads to another.
    """
    place = _place(path) or path
    content: dict[str, Any] = {}
    for entry in read_metadata(place):
        if entry.shape is not None and not any(key.lower().startswith("optim") for key in entry.keys):
            _put(path, content, entry.keys, _tensor(place, entry, entry.shape))
    return replace(state_dicts.payload_of(path, content), epoch=stored_epoch(path, options))


def stored_epoch(path: Path, options: ReadOptions) -> int | None:
    """The `epoch` saved beside the weights, in Lightning's `meta.pt`, or in the trainer's state; None without.

    Raises:
        CheckpointError: the folder is damaged or incomplete, or leads to another.
    """
    place = _place(path) or path
    for entry in read_metadata(place):
        if entry.keys == ("epoch",) and sum(piece.place.length for piece in entry.pieces) <= _SMALL:
            whole = entry.shape is None
            found = _loaded(place, entry.pieces[0]) if whole else _tensor(place, entry, entry.shape or ())
            return state_dicts.stored_epoch({"epoch": found})
    if (path / _LIGHTNING).is_file():
        return state_dict.stored_epoch(path / _LIGHTNING, options)
    return huggingface.trainer_epoch(path)


def _place(path: Path) -> Path | None:
    """The folder with the pieces: this, or one in it."""
    for place in (path, path / _INNER):
        if (place / METADATA).is_file() and any(place.glob("*.distcp")):
            return place
    return None


def _put(path: Path, content: dict[str, Any], keys: tuple[str, ...], value: Tensor) -> None:
    """Put a tensor under its keys, in mappings in one another."""
    *outer, last = keys
    for key in outer:
        content = content.setdefault(key, {})
        if not isinstance(content, dict):
            break
    if not isinstance(content, dict) or last in content:
        raise CheckpointError(f"{path}: {printable('.'.join(keys))!r} is in it twice", _REMEDY)
    content[last] = value


def _tensor(place: Path, entry: Entry, shape: tuple[int, ...]) -> Tensor:
    """A tensor, put together from its pieces."""
    name = printable(".".join(entry.keys))
    if not entry.pieces or sum(math.prod(piece.shape) for piece in entry.pieces) != math.prod(shape):
        raise CheckpointError(f"{place}: pieces of {name!r} are missing", _REMEDY)
    parts = [_part(place, piece, name) for piece in entry.pieces]
    if len(parts) == 1 and parts[0].shape == shape:
        return parts[0]
    try:
        whole, filled = torch.empty(shape, dtype=parts[0].dtype), torch.zeros(shape, dtype=torch.bool)
        for piece, part in zip(entry.pieces, parts, strict=True):
            window = tuple(slice(start, start + size) for start, size in zip(piece.offsets, piece.shape, strict=True))
            if part.dtype != whole.dtype or whole[window].shape != part.shape:
                raise CheckpointError(f"{place}: a piece of {name!r} is no part of it", _REMEDY)
            whole[window], filled[window] = part, True
    except RuntimeError as error:  # no elements in a shape that torch has not, or numbers that it does not copy
        raise CheckpointError(f"{place}: {name!r} cannot be put together", _REMEDY) from error
    if not filled.all():
        raise CheckpointError(f"{place}: pieces of {name!r} lie over each other", _REMEDY)
    return whole


def _part(place: Path, piece: Piece, name: str) -> Tensor:
    part = _loaded(place, piece)
    if type(part) is not Tensor or part.device.type != "cpu" or part.layout != torch.strided or part.is_quantized:
        raise CheckpointError(f"{place}: a piece of {name!r} is no plain tensor", _REMEDY)
    if part.shape != piece.shape or part.numel() * part.element_size() > piece.place.length:
        raise CheckpointError(f"{place}: a piece of {name!r} is not what its {METADATA} says", _REMEDY)
    return part


def _loaded(place: Path, piece: Piece) -> Any:
    """What torch.save put into a piece of a file."""
    where = piece.place
    with (place / where.file).open("rb") as file:
        file.seek(where.offset)
        content = file.read(where.length)
    path = place / where.file
    loaded = load_part(path, content)
    check_archive(path, io.BytesIO(content))
    return loaded
