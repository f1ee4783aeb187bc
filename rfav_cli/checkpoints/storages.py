"""The numbers of tensors in what torch.save wrote: where they are, and that there are as many as a pickle claims."""

from __future__ import annotations

import struct
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.parameter import is_lazy

from rfav_cli.checkpoints.opened import Part, cut_short
from rfav_cli.checkpoints.zips import check_sum, read_member
from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from torch import Tensor

    from rfav_cli.checkpoints.opened import Opened

_LOCAL_HEADER = 30
_REMEDY = "Copy or save the file again, or leave it out."


@dataclass(frozen=True)
class StorageKind:
    """What a pickle names as the class of a storage.

    Attributes:
        dtype: of its elements; bytes where the tensors say what they are of.
    """

    dtype: torch.dtype


@dataclass(frozen=True)
class Storage:
    """Numbers of a file.

    Attributes:
        untyped: the bytes.
        dtype: of what they are.
    """

    untyped: torch.UntypedStorage
    dtype: torch.dtype


@dataclass(frozen=True)
class Claim:
    """What a pickle says of a storage.

    Attributes:
        dtype: of its elements.
        key: its name in the file.
        count: how many elements it has.
        view: of the older format: name, first element and length of a part that is meant in place of the whole.
    """

    dtype: torch.dtype
    key: str
    count: int
    view: tuple[str, int, int] | None = None

    @classmethod
    def of(cls, given: Any) -> Claim:
        """Read a claim.

        Raises:
            ValueError: it is none, or of something else than a storage.
        """
        if not isinstance(given, tuple) or not 5 <= len(given) <= 6 or given[0] not in ("storage", b"storage"):
            raise ValueError("not the claim of a storage")
        _, kind, key, _, count, *more = given
        view = more[0] if more else None
        if not isinstance(kind, StorageKind) or not (view is None or (isinstance(view, tuple) and len(view) == 3)):
            raise ValueError("not the claim of a storage")
        part = (_text(view[0]), _whole(view[1]), _whole(view[2])) if view else None
        return cls(kind.dtype, _text(key), _whole(count), part)

    @property
    def bytes(self) -> int:
        """That it takes."""
        return self.count * self.dtype.itemsize


def storage_kind(module: str, name: str) -> StorageKind | None:
    """What `torch.FloatStorage` and its like hold; bytes where it is untyped; None for another name."""
    if module.partition(".")[0] != "torch":
        return None
    if name in ("UntypedStorage", "_UntypedStorage"):
        return StorageKind(torch.uint8)
    dtype = torch.storage._storage_type_to_dtype_map().get(name)
    return None if dtype is None else StorageKind(dtype)


@dataclass
class Room:
    """Where the numbers of a storage go, which are read when somebody asks for them.

    Attributes:
        storage: the memory; what is in it before it is filled means nothing.
        dtype: of the numbers.
        part: of the file that they are in, as they are or packed; None as long as that is not known.
        filled: they have been read.
    """

    storage: torch.UntypedStorage
    dtype: torch.dtype
    part: Part | None = None
    filled: bool = False

    @property
    def view(self) -> memoryview:
        """The memory as bytes."""
        view: memoryview = torch.empty(0, dtype=torch.uint8).set_(self.storage).numpy().data
        return view


class Storages:
    """The storages of a file. Each has its room at once; numbers are read for the tensors that are asked for alone.

    Args:
        file: that they are in.
    """

    def __init__(self, file: Opened) -> None:
        self._file = file
        self._rooms: dict[str, Room] = {}
        self._at: dict[int, Room] = {}

    def fill(self, tensors: Iterable[Tensor]) -> None:
        """Read the numbers of tensors, each storage once.

        Raises:
            CheckpointError: the file ends before.
        """
        for tensor in tensors:
            for part in (tensor, *_steps(tensor)):
                room = self._at.get(part.untyped_storage().data_ptr()) if _has_storage(part) else None
                if room is not None and not room.filled:
                    self._read(room)

    def fill_all(self, most: int | None = None) -> None:
        """Read all numbers, or those of the storages that have so few bytes. Raises as `fill` does."""
        for room in self._rooms.values():
            if not room.filled and (most is None or room.storage.nbytes() <= most):
                self._read(room)

    def compare(self, see: Callable[[bytes | memoryview], object] = lambda _: None) -> None:
        """Compare the checksums that there are; see all bytes of the file on the way.

        Raises:
            CheckpointError: one is wrong, or the file is damaged.
        """
        self._file.compare([part for room in self._rooms.values() if (part := room.part)], see)

    def _put(self, key: str, room: Room) -> None:
        self._rooms[key] = room
        if room.storage.nbytes():
            self._at[room.storage.data_ptr()] = room

    def _read(self, room: Room) -> None:
        view, part = room.view, room.part
        if part is not None and view:
            self._file.fill(part.start, view)
            part.held = view if part.length == len(view) else None
        room.filled = True


class ZipStorages(Storages):
    """The storages in an archive.

    Args:
        file: the archive.
        archive: the same.
        root: the folder in it that everything is in, with its slash; empty without.
        summed: its members have checksums.
    """

    def __init__(self, file: Opened, archive: zipfile.ZipFile, root: str, *, summed: bool) -> None:
        super().__init__(file)
        self._archive = archive
        self._root = root
        self._swapped = self._byte_order() != sys.byteorder
        members = archive.infolist()
        self._summed = summed
        self._packed = {member.filename for member in members if member.compress_type != zipfile.ZIP_STORED}
        self._whole = {member.filename: self._part_of(member) for member in members}

    def take(self, claim: Claim) -> Storage:
        """Room for the storage that is claimed.

        Raises:
            CheckpointError: there is none, it has another size, or two are claimed for it.
        """
        if claim.key not in self._rooms:
            self._put(claim.key, self._make(f"{self._root}data/{claim.key}", claim))
        room = self._rooms[claim.key]
        if room.storage.nbytes() != claim.bytes or (self._swapped and room.dtype != claim.dtype):
            raise two_sizes(self._file.path)
        return Storage(room.storage, claim.dtype)

    def compare(self, see: Callable[[bytes | memoryview], object] = lambda _: None) -> None:
        """Compare the checksums of all members; those that are packed have one of what they unpack to."""
        self._file.compare(list(self._whole.values()), see)
        if self._summed:
            for name in sorted(self._packed):
                check_sum(self._file.path, self._archive, self._archive.getinfo(name))

    def _byte_order(self) -> str:
        name = f"{self._root}byteorder"
        order = read_member(self._archive, name, 16) if name in self._archive.NameToInfo else b"little"
        if order not in (b"little", b"big"):
            raise CheckpointError(f"{self._file.path}: damaged: an order of bytes that is none", _REMEDY)
        return order.decode()

    def _part_of(self, member: zipfile.ZipInfo) -> Part:
        """Where the bytes of a member are, packed or not."""
        header = self._file.read(member.header_offset, _LOCAL_HEADER)
        start = member.header_offset + _LOCAL_HEADER + sum(struct.unpack("<HH", header[26:]))
        summed = self._summed and member.filename not in self._packed
        if start + member.compress_size > self._file.size:
            raise cut_short(self._file.path)
        return Part(member.filename, start, member.compress_size, member.CRC if summed else None)

    def _make(self, name: str, claim: Claim) -> Room:
        member = self._archive.NameToInfo.get(name)
        if member is None:
            raise CheckpointError(f"{self._file.path}: damaged: there is no {printable(name, 120)!r} in it", _REMEDY)
        if member.file_size < claim.bytes:
            raise too_small(self._file.path, name, member.file_size, claim.bytes)
        if member.file_size - claim.bytes >= claim.dtype.itemsize:  # torch counts whole elements
            raise too_large(self._file.path, name, member.file_size, claim.bytes)
        return Room(torch.UntypedStorage(claim.bytes), claim.dtype, self._whole[name])

    def _read(self, room: Room) -> None:
        view, part = room.view, room.part
        if part is not None and part.name in self._packed and view:
            view[:] = read_member(self._archive, part.name, len(view))
            room.filled = True
        else:
            super()._read(room)
        if self._swapped and view:
            if part is not None and part.held is not None:
                part.held = bytes(view)
            room.storage.byteswap(room.dtype)


class LegacyStorages(Storages):
    """The storages of a file in the format before archives, which come after the pickle that claims them."""

    def __init__(self, file: Opened) -> None:
        super().__init__(file)
        self._left = file.size

    def take(self, claim: Claim) -> Storage:
        """Room for the storage that is claimed.

        Raises:
            CheckpointError: the file has not as many bytes.
        """
        if claim.key not in self._rooms:
            self._left -= claim.bytes
            if self._left < 0:
                raise CheckpointError(f"{self._file.path}: damaged or cut off: smaller than its tensors", _REMEDY)
            self._put(claim.key, Room(torch.UntypedStorage(claim.bytes), claim.dtype))
        room = self._rooms[claim.key]
        if (room.storage.nbytes(), room.dtype) != (claim.bytes, claim.dtype):
            raise two_sizes(self._file.path)
        storage = room.storage
        if claim.view:
            _, first, count = claim.view
            if first + count > claim.count:
                raise CheckpointError(f"{self._file.path}: damaged: a part of a storage that it has not", _REMEDY)
            storage = _part(storage, first * room.dtype.itemsize, count * room.dtype.itemsize)
            self._at[storage.data_ptr()] = room
        return Storage(storage, room.dtype)

    def locate(self, keys: Any, at: int) -> None:
        """Find out where the numbers are: after the pickles.

        Args:
            keys: of the storages, in their order.
            at: the place of the first of them.

        Raises:
            CheckpointError: they are not those that were claimed.
        """
        if not isinstance(keys, list) or sorted(map(_text, keys)) != sorted(self._rooms):
            raise CheckpointError(f"{self._file.path}: damaged: its storages are not those of its tensors", _REMEDY)
        for key in map(_text, keys):
            room = self._rooms[key]
            count = room.storage.nbytes()
            if self._file.read(at, 8) != struct.pack("<q", count // room.dtype.itemsize):
                raise cut_short(self._file.path)
            room.part = Part(key, at + 8, count)
            at += 8 + count
        if at > self._file.size:
            raise cut_short(self._file.path)


def too_small(path: Path, record: str, has: int, needed: int) -> CheckpointError:
    """What is said of a storage with fewer bytes than a tensor of it needs."""
    return CheckpointError(
        f"{path}: damaged: {printable(record, 120)!r} has {has} bytes, its tensor needs {needed}", _REMEDY
    )


def too_large(path: Path, record: str, has: int, claimed: int) -> CheckpointError:
    """What is said of a storage with more bytes than a pickle claims for it: its numbers are of another type."""
    return CheckpointError(
        f"{path}: damaged: {printable(record, 120)!r} has {has} bytes, and {claimed} are claimed", _REMEDY
    )


def two_sizes(path: Path) -> CheckpointError:
    """What is said where a storage is claimed twice, and not as the same: each would be a copy of its own."""
    return CheckpointError(f"{path}: damaged: two sizes are claimed for a storage", _REMEDY)


def _part(storage: torch.UntypedStorage, start: int, count: int) -> torch.UntypedStorage:
    """Some bytes of a storage, shared with it; fewer where it ends before."""
    part: torch.UntypedStorage = storage[start : start + count]
    return part


def _text(value: Any) -> str:
    """A name in the file; very old ones are numbers."""
    if isinstance(value, bytes):
        return value.decode("ascii")
    if isinstance(value, str):
        return value
    return str(_whole(value))  # the text of a larger number takes longer than anybody has


def _has_storage(tensor: Tensor) -> bool:
    return not is_lazy(tensor) and tensor.layout == torch.strided and tensor.device.type == "cpu"


def _steps(tensor: Tensor) -> tuple[Tensor, ...]:
    """The tensors that say what the steps of a quantized one are, by channel."""
    if not tensor.is_quantized or tensor.qscheme() not in (
        torch.per_channel_affine,
        torch.per_channel_affine_float_qparams,
    ):
        return ()
    return tensor.q_per_channel_scales(), tensor.q_per_channel_zero_points()


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError("no count of elements")
    return value
