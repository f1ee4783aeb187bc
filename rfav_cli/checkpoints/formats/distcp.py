"""What `torch.distributed.checkpoint` wrote: a folder with `.metadata` and files of pieces of tensors.

FSDP in transformers and accelerate puts one into `pytorch_model_fsdp_0/`; Lightning's has `meta.pt` beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rfav_cli.checkpoints import state_dicts
from rfav_cli.checkpoints.distcp_metadata import METADATA, Entry, Piece, read_metadata
from rfav_cli.checkpoints.formats import huggingface, state_dict
from rfav_cli.checkpoints.opened import Opened, digest_of_folder, opened
from rfav_cli.checkpoints.pickles import load_part
from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Payload

Files = Mapping[Path, Opened]
"""The files of a folder, open."""
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
    with ExitStack() as stack:
        files = {file: stack.enter_context(opened(file)) for file in weight_files(path)}
        for entry in read_metadata(place, files[place / METADATA]):
            if entry.shape is not None and not any(key.lower().startswith("optim") for key in entry.keys):
                _put(path, content, entry.keys, _tensor(place, entry, entry.shape, files))
        digest = digest_of_folder(path, {file: whole.digest() for file, whole in files.items()})
    return replace(state_dicts.payload_of(path, content), epoch=stored_epoch(path, options), sha256=digest)


def stored_epoch(path: Path, options: ReadOptions) -> int | None:
    """The `epoch` saved beside the weights, in Lightning's `meta.pt`, or in the trainer's state; None without.

    Raises:
        CheckpointError: the folder is damaged or incomplete, or leads to another.
    """
    place = _place(path) or path
    with ExitStack() as stack:
        for entry in read_metadata(place, stack.enter_context(opened(place / METADATA))):
            if entry.keys == ("epoch",) and sum(piece.place.length for piece in entry.pieces) <= _SMALL:
                paths = {place / piece.place.file for piece in entry.pieces}
                files = {file: stack.enter_context(opened(file)) for file in paths}
                whole = entry.shape is None
                found = (
                    _loaded(place, entry.pieces[0], files) if whole else _tensor(place, entry, entry.shape or (), files)
                )
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


def _tensor(place: Path, entry: Entry, shape: tuple[int, ...], files: Files) -> Tensor:
    """A tensor, put together from its pieces."""
    name = printable(".".join(entry.keys))
    if not entry.pieces or sum(math.prod(piece.shape) for piece in entry.pieces) != math.prod(shape):
        raise CheckpointError(f"{place}: pieces of {name!r} are missing", _REMEDY)
    parts = [_part(place, piece, name, files) for piece in entry.pieces]
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


def _part(place: Path, piece: Piece, name: str, files: Files) -> Tensor:
    part = _loaded(place, piece, files)
    if type(part) is not Tensor or part.device.type != "cpu" or part.layout != torch.strided or part.is_quantized:
        raise CheckpointError(f"{place}: a piece of {name!r} is no plain tensor", _REMEDY)
    if part.shape != piece.shape or part.numel() * part.element_size() > piece.place.length:
        raise CheckpointError(f"{place}: a piece of {name!r} is not what its {METADATA} says", _REMEDY)
    return part


def _loaded(place: Path, piece: Piece, files: Files) -> Any:
    """What torch.save put into a piece of a file."""
    path = place / piece.place.file
    if path not in files:  # such as one of another ending
        raise CheckpointError(f"{place}: its {METADATA} names {printable(path.name)!r}, which holds no pieces", _REMEDY)
    return load_part(path, files[path].read(piece.place.offset, piece.place.length))
