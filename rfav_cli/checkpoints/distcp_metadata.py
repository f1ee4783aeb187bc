"""What `torch.distributed.checkpoint` says of itself in `.metadata`: which tensor lies where in which file.

Torch reads that file with `pickle.load`, which runs whatever it says. Here it is read as data, and everything in it is
checked: a name leads to no other folder, a size to no more bytes than there are.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.known_names import RunsCodeError, meaning
from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.checkpoints.unpickler import DataUnpickler
from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rfav_cli.checkpoints.opened import Opened

METADATA = ".metadata"
_MOST_BYTES = 2**26
"""That it may have: a hundred a piece of a tensor."""
_MOST_DIMENSIONS = 64
"""And keys in one another."""
_LONGEST_NAME = 10_000
"""Characters of the keys of an entry, which may be parts of one long text."""
_TORCH = "torch.distributed.checkpoint."
_REMEDY = "Copy or save the folder again, or leave it out."

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where something was put.

    Attributes:
        file: name of a file in the folder.
        offset: of its first byte.
        length: in bytes.
    """

    file: str
    offset: int
    length: int


@dataclass(frozen=True)
class Piece:
    """A part of a tensor.

    Attributes:
        offsets: where it begins in the tensor, of each dimension.
        shape: its own.
        place: where it lies.
    """

    offsets: Shape
    shape: Shape
    place: Place


@dataclass(frozen=True)
class Entry:
    """Something that was saved.

    Attributes:
        keys: that lead to it.
        shape: of a tensor; None of anything else.
        pieces: of a tensor all of it; of anything else the one place where it lies, without a shape.
    """

    keys: tuple[str, ...]
    shape: Shape | None
    pieces: tuple[Piece, ...]


def read_metadata(folder: Path, file: Opened) -> list[Entry]:
    """All that a folder holds.

    Args:
        folder: it.
        file: its `.metadata`, open.

    Raises:
        CheckpointError: what it says of itself is damaged, or leads to another folder.
        OSError: it cannot be read.
    """
    path = folder / METADATA
    if file.size > _MOST_BYTES:
        raise CheckpointError(f"{path}: longer than such a file is", _REMEDY)
    content = file.read(0, file.size)
    try:
        document = DataUnpickler(io.BytesIO(content), _no_meaning, _no_storage, len(content)).load()
        entries = list(_entries(folder, document))
    except CheckpointError:
        raise
    except RunsCodeError as error:
        raise CheckpointError(f"{path}: needs {printable(error.name)}, which could run code", "Leave it out.") from None
    except Exception as error:  # a damaged pickle makes the machine that reads it fail in any way there is
        raise CheckpointError(f"{path}: damaged, or not written by torch.distributed.checkpoint", _REMEDY) from error
    _check_places(folder, [piece.place for entry in entries for piece in entry.pieces])
    return entries


def _no_meaning(module: str, name: str) -> None:
    """None, so that each name stays one; what only an attack has a use for is refused."""
    meaning(module, name)


def _no_storage(_: object) -> None:
    raise ValueError("there are no tensors in it")


def _entries(folder: Path, document: Any) -> Iterator[Entry]:
    fields = _fields(document, "Metadata")
    # Each is of one piece: chunks that many tensors share would make more pieces than there is room for.
    places = dict(_places(folder, fields["storage_data"]))
    paths = dict(_mapping(fields.get("planner_data") or {}))
    for name, saved in _mapping(fields["state_dict_metadata"]):
        keys = _keys(paths.get(name, (_text(name),)))
        if _is(saved, "BytesStorageMetadata"):
            yield Entry(keys, None, (Piece((), (), places.pop((name, None))),))
            continue
        tensor = _fields(saved, "TensorStorageMetadata")
        shape = _shape(tensor["size"])
        pieces = []
        for chunk in tensor["chunks"]:
            part = _fields(chunk, "ChunkStorageMetadata")
            offsets, sizes = (_shape(part[name], len(shape)) for name in ("offsets", "sizes"))
            pieces.append(Piece(offsets, sizes, places.pop((name, offsets))))
        yield Entry(keys, shape, tuple(pieces))


def _places(folder: Path, storage: Any) -> Iterator[tuple[tuple[str, Shape | None], Place]]:
    """Where each piece lies, by the name of what it is of and its offsets."""
    for key, value in _mapping(storage):
        index = _fields(key.args[0] if isinstance(key, StandIn) and key.kind == "key" else key, "MetadataIndex")
        info = _fields(value, "_StorageInfo")
        if info.get("transform_descriptors"):
            raise CheckpointError(f"{folder}: is packed by an extension of torch's", "Save it without extensions.")
        offset = index.get("offset")
        place = Place(_text(info["relative_path"]), _number(info["offset"]), _number(info["length"]))
        yield (_text(index["fqn"]), None if offset is None else _shape(offset)), place


def _check_places(folder: Path, places: list[Place]) -> None:
    """That all lies in files of the folder, and nothing in two ways, so that no more is read than there is.

    Raises:
        CheckpointError: one lies anywhere else.
    """
    sizes = {name: _size(folder, name) for name in {place.file for place in places}}
    if cut := next((place.file for place in places if place.offset + place.length > sizes[place.file]), ""):
        raise CheckpointError(f"{folder}: {printable(cut)} is cut off", _REMEDY)
    if sum(place.length for place in places) > sum(sizes.values()):
        raise CheckpointError(f"{folder}: its {METADATA} says that parts of a file are several things", _REMEDY)


def _size(folder: Path, name: str) -> int:
    """Bytes of a file that `.metadata` names, which has to lie in its folder."""
    shown = printable(name)
    if not re.fullmatch(r"[\w.=+-]{1,200}", name) or name.startswith("."):
        raise CheckpointError(f"{folder}: its {METADATA} names {shown!r}, which is no name of a file in it", _REMEDY)
    path = folder / name
    if not path.is_file():
        raise CheckpointError(f"{folder}: {shown} is not there, which its {METADATA} names", _REMEDY)
    if path.resolve().parent != folder.resolve():
        raise CheckpointError(f"{folder}: {shown} is a link to another folder", _REMEDY)
    return path.stat().st_size


def _fields(made: Any, kind: str) -> dict[str, Any]:
    """The attributes of an object of one of torch's records."""
    if not _is(made, kind) or not isinstance(made.state, dict):
        raise ValueError(f"no {kind}")
    fields: dict[str, Any] = made.state
    return fields


def _is(made: Any, kind: str) -> bool:
    return isinstance(made, StandIn) and made.kind.startswith(_TORCH) and made.kind.rpartition(".")[2] == kind


def _mapping(value: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(value, dict):
        raise ValueError("no mapping")
    return iter(value.items())


def _keys(value: Any) -> tuple[str, ...]:
    """The keys that lead to an entry: names, and numbers in lists."""
    if not isinstance(value, tuple | list) or not 0 < len(value) <= _MOST_DIMENSIONS:
        raise ValueError("no keys")
    keys = tuple(key if isinstance(key, str) else str(_number(key)) for key in value)
    if sum(map(len, keys)) > _LONGEST_NAME:
        raise ValueError("a name without end")
    return keys


def _shape(value: Any, dimensions: int | None = None) -> Shape:
    numbers = value.args[0] if isinstance(value, StandIn) and value.kind == "torch.Size" else value
    if not isinstance(numbers, tuple | list) or len(numbers) > _MOST_DIMENSIONS:
        raise ValueError("no shape")
    if dimensions not in (None, len(numbers)):
        raise ValueError("another number of dimensions")
    return tuple(_number(number) for number in numbers)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise ValueError("no number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value
