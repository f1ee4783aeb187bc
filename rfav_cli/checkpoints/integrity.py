"""Whether a zip archive of torch holds what was written: torch itself looks at no checksum and at no size."""

from __future__ import annotations

import io
import json
from typing import IO, TYPE_CHECKING, Any

from rfav_cli.checkpoints.storages import storage_kind, too_small
from rfav_cli.checkpoints.unpickler import DataUnpickler
from rfav_cli.checkpoints.zips import UNREADABLE, check_sum, open_archive, read_member, refusals
from rfav_cli.errors import CheckpointError
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Mapping
    from pathlib import Path

    from rfav_cli.checkpoints.storages import Claim

_PICKLES = {"data.pkl": "data/", "constants.pkl": "constants/"}
"""A pickle of torch -> where the storages are that it names."""
_CONFIG = "_config.json"
_MOST_BYTES = 2**63
"""That a tensor can need."""
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
        CheckpointError: it is refused by that: see `zips.refusals`.
    """
    members = archive.infolist()
    size = archive.fp.seek(0, io.SEEK_END) if archive.fp else 0
    for words in refusals(members, size):
        raise CheckpointError(f"{path}: {words}", _REMEDY)
    return members


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
