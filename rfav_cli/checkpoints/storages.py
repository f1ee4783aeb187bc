"""The numbers of tensors in what torch.save wrote: where they are, and that there are as many as a pickle claims."""

from __future__ import annotations

import struct
import sys
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from mmap import mmap
    from pathlib import Path

_LOCAL_HEADER = 30
_ALIGNMENT = 16
"""Bytes of the widest number; torch.save puts storages at multiples of more."""
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


class ZipStorages:
    """The storages in an archive, mapped from the file where they are not compressed.

    Args:
        path: the file, for messages.
        archive: of it, opened.
        mapped: its bytes, which the storages share.
        root: the folder in the archive that everything is in, with its slash; empty without.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, mapped: mmap | bytearray, root: str) -> None:
        self._path = path
        self._archive = archive
        self._bytes = torch.frombuffer(mapped, dtype=torch.uint8).untyped_storage()
        self._root = root
        self._swapped = self._byte_order() != sys.byteorder
        self._taken: dict[str, tuple[torch.UntypedStorage, torch.dtype]] = {}

    def take(self, claim: Claim) -> Storage:
        """The storage that is claimed.

        Raises:
            CheckpointError: there is none, it is smaller, or two sizes are claimed for it.
        """
        if claim.key not in self._taken:
            storage = self._read(f"{self._root}data/{claim.key}", claim.bytes)
            if self._swapped or storage.data_ptr() % _ALIGNMENT:
                storage = storage.clone()
            if self._swapped:
                storage.byteswap(claim.dtype)
            self._taken[claim.key] = (storage, claim.dtype)
        storage, dtype = self._taken[claim.key]
        if storage.nbytes() != claim.bytes or (self._swapped and dtype != claim.dtype):
            raise two_sizes(self._path)
        return Storage(storage, claim.dtype)

    def _byte_order(self) -> str:
        name = f"{self._root}byteorder"
        order = read_member(self._archive, name) if name in self._archive.NameToInfo else b"little"
        if order not in (b"little", b"big"):
            raise CheckpointError(f"{self._path}: damaged: an order of bytes that is none", _REMEDY)
        return order.decode()

    def _read(self, name: str, needed: int) -> torch.UntypedStorage:
        member = self._archive.NameToInfo.get(name)
        if member is None:
            raise CheckpointError(f"{self._path}: damaged: there is no {printable(name, 120)!r} in it", _REMEDY)
        if member.file_size < needed:
            raise too_small(self._path, name, member.file_size, needed)
        if member.compress_type != zipfile.ZIP_STORED:
            content = bytearray(read_member(self._archive, name))
            storage = torch.frombuffer(content, dtype=torch.uint8).untyped_storage() if content else self._bytes
            return _part(storage, 0, needed)
        header = member.header_offset
        lengths = self._bytes[header + 26 : header + _LOCAL_HEADER]
        start = header + _LOCAL_HEADER + sum(struct.unpack("<HH", bytes(lengths.tolist())))
        storage = _part(self._bytes, start, needed)
        if storage.nbytes() != needed:
            raise CheckpointError(f"{self._path}: damaged or cut off", _REMEDY)
        return storage


@dataclass
class LegacyStorages:
    """The storages of a file in the format before archives, which come after the pickle that claims them.

    Attributes:
        path: the file, for messages.
        most: the bytes that all can have together.
    """

    path: Path
    most: int
    _taken: dict[str, tuple[torch.UntypedStorage, torch.dtype]] = field(default_factory=dict)

    def take(self, claim: Claim) -> Storage:
        """Room for the storage that is claimed, which `fill` fills.

        Raises:
            CheckpointError: the file has not as many bytes.
        """
        if claim.key not in self._taken:
            self.most -= claim.bytes
            if self.most < 0:
                raise CheckpointError(f"{self.path}: damaged or cut off: smaller than its tensors", _REMEDY)
            self._taken[claim.key] = (torch.UntypedStorage(claim.bytes), claim.dtype)
        storage, dtype = self._taken[claim.key]
        if (storage.nbytes(), dtype) != (claim.bytes, claim.dtype):
            raise two_sizes(self.path)
        if claim.view:
            _, first, count = claim.view
            if first + count > claim.count:
                raise CheckpointError(f"{self.path}: damaged: a part of a storage that it has not", _REMEDY)
            storage = _part(storage, first * dtype.itemsize, count * dtype.itemsize)
        return Storage(storage, dtype)

    def fill(self, keys: Any, mapped: mmap) -> None:
        """Read what comes after the pickles.

        Args:
            keys: of the storages, in their order.
            mapped: the file, at the first of them.

        Raises:
            CheckpointError: they are not those that were claimed.
        """
        if not isinstance(keys, list) or sorted(map(_text, keys)) != sorted(self._taken):
            raise CheckpointError(f"{self.path}: damaged: its storages are not those of its tensors", _REMEDY)
        for key in keys:
            storage, dtype = self._taken[_text(key)]
            header, content = mapped.read(8), mapped.read(storage.nbytes())
            if header != struct.pack("<q", storage.nbytes() // dtype.itemsize) or len(content) != storage.nbytes():
                raise CheckpointError(f"{self.path}: damaged or cut off", _REMEDY)
            if content:
                storage.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8).untyped_storage())


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """What a member of an archive holds, without its checksum being compared.

    Without a number of bytes `zipfile` unpacks all that is there before it takes as many as the archive says.
    """
    with archive.open(name) as content:
        return content.read(archive.getinfo(name).file_size)


def too_small(path: Path, record: str, has: int, needed: int) -> CheckpointError:
    """What is said of a storage with fewer bytes than a tensor of it needs."""
    return CheckpointError(
        f"{path}: damaged: {printable(record, 120)!r} has {has} bytes, its tensor needs {needed}", _REMEDY
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
    if not isinstance(value, str | int):  # the text of another may take longer than anybody has
        raise ValueError("no name of a storage")
    return str(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError("no count of elements")
    return value
