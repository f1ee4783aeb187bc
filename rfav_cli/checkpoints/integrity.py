"""Whether a zip archive of torch holds what was written: torch itself looks at no checksum and at no size."""

from __future__ import annotations

import io
import json
import zipfile
from typing import IO, TYPE_CHECKING, Any

from rfav_cli.checkpoints.storages import storage_kind, too_small
from rfav_cli.checkpoints.unpickler import DataUnpickler
from rfav_cli.checkpoints.zips import UNREADABLE, check_sum, open_archive, read_member
from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rfav_cli.checkpoints.storages import Claim

_PICKLES = {"data.pkl": "data/", "constants.pkl": "constants/"}
"""A pickle of torch -> where the storages are that it names."""
_CONFIG = "_config.json"
_ENCRYPTED = 1
"""The bit of a member's flags that says so."""
_MOST_BYTES = 2**63
"""That a tensor can need."""
_STORED_SHARE = 1 / 32
_MUCH = 2**28
"""An archive that unpacks to more bytes than this, and is a smaller share of them, does not hold weights."""
_MUCH_OF_A_PICKLE = 2**22
"""The same of a pickle: each byte of one can become an object of a hundred."""
_REMEDY = "Copy or save the file again, or leave it out."


def check_archive(path: Path, file: IO[bytes] | None = None) -> None:
    """Hold each member of an archive against its checksum, and each storage against the size that is claimed for it.

    An archive without checksums (`torch.serialization.set_crc32_options(False)`) has 0 for all of them.

    Args:
        path: the file, for messages.
        file: what is read, where it is not the file itself but an archive within it.

    Raises:
        CheckpointError: one is not what was written, or the archive is damaged.
    """
    try:
        with open_archive(path, file) as archive:
            members = check_members(path, archive)
            summed = any(member.CRC for member in members)
            for member in members:
                if summed:
                    check_sum(path, archive, member)
                else:
                    del member.CRC  # a member that has none is read without a look at it
            _check_sizes(path, archive)
    except UNREADABLE as error:
        raise CheckpointError(f"{path}: damaged or cut off: {what_it_says(error)}", _REMEDY) from error


def check_members(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """An archive's list of its members, which is looked at before anything of it is unpacked.

    Raises:
        CheckpointError: it unpacks to far more than weights do, in a way that torch does not know, or to two of a name.
    """
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise CheckpointError(f"{path}: has two members of one name", _REMEDY)
    for member in members:
        name = printable(member.filename, 120)
        if member.header_offset < 0:
            raise CheckpointError(f"{path}: damaged: {name!r} is said to begin before it", _REMEDY)
        if member.flag_bits & _ENCRYPTED:
            raise CheckpointError(f"{path}: damaged or cut off: {name!r} is said to need a password", _REMEDY)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise CheckpointError(f"{path}: {name!r} is compressed in a way that torch does not know", _REMEDY)
        if member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size:
            raise CheckpointError(f"{path}: damaged: {name!r} is said to have two sizes", _REMEDY)
        if member.filename.endswith(".pkl") and _swells(member.file_size, member.compress_size, _MUCH_OF_A_PICKLE):
            raise CheckpointError(f"{path}: refused, {name!r} unpacks to {member.file_size:,} bytes", _REMEDY)
    whole, stored = (sum(getattr(member, size) for member in members) for size in ("file_size", "compress_size"))
    if _swells(whole, stored, _MUCH):
        raise CheckpointError(f"{path}: refused, its {stored:,} bytes unpack to {whole:,}", _REMEDY)
    if archive.fp is None or stored > archive.fp.seek(0, io.SEEK_END):  # each would be read again and again
        raise CheckpointError(f"{path}: damaged: parts of it are several members", _REMEDY)
    return members


def _swells(whole: int, stored: int, much: int) -> bool:
    return whole > much and stored < whole * _STORED_SHARE


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    for name in sizes:
        root, _, short = name.rpartition("/")
        folder = f"{root}/" if root else ""
        if short in _PICKLES and root.count("/") == 0:
            claims = _claimed(path, read_member(archive, name))
            needed = {f"{folder}{_PICKLES[short]}{key}": size for key, size in claims.items()}
        elif short.endswith(_CONFIG):
            needed = {f"{folder}{key}": size for key, size in _configured(read_member(archive, name)).items()}
        else:
            continue
        for record, size in needed.items():
            if record in sizes and sizes[record] < size:
                raise too_small(path, record, sizes[record], size)


def _claimed(path: Path, content: bytes) -> dict[str, int]:
    """Key of a storage -> the bytes that a pickle claims for it. Nothing in the pickle is made."""
    claims: dict[str, int] = {}

    def note(claim: Claim) -> None:
        claims[claim.key] = max(claims.get(claim.key, 0), claim.bytes)

    try:
        DataUnpickler(io.BytesIO(content), storage_kind, note, len(content)).load()
    except Exception as error:  # a damaged pickle makes the machine that reads it fail in any way there is
        raise CheckpointError(f"{path}: damaged, or not written by torch", _REMEDY) from error
    return claims


def _configured(content: bytes) -> dict[str, int]:
    """Record -> the bytes that the tensor needs which an exported program keeps in it."""
    from torch._export.serde.serialize import deserialize_scalar_type

    needed: dict[str, int] = {}
    try:
        entries: Mapping[str, Any] = json.loads(content)["config"]
        for entry in entries.values():
            if (meta := entry.get("tensor_meta")) is None or entry.get("use_pickle"):
                continue
            sizes, strides = ([int(n["as_int"]) for n in meta[key]] for key in ("sizes", "strides"))
            last = int(meta["storage_offset"]["as_int"]) + sum(
                (size - 1) * stride for size, stride in zip(sizes, strides, strict=True)
            )
            bytes_needed = 0 if 0 in sizes else (last + 1) * deserialize_scalar_type(meta["dtype"]).itemsize
            needed[entry["path_name"]] = max(needed.get(entry["path_name"], 0), min(bytes_needed, _MOST_BYTES))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        return needed  # torch says itself what is wrong
    return needed
