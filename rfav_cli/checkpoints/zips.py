"""Zip archives from anyone: opened with a look at how much they list, and no more unpacked than they say.

What is refused by the list of members alone is said here, for those who read an archive and for those who only look.
"""

from __future__ import annotations

import contextlib
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, cast

from rfav_cli.errors import CheckpointError
from rfav_cli.files.regular import open_regular
from rfav_cli.files.sizes import MUCH, swells
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ZIP_MAGIC = b"PK\x03\x04"
_BYTES_AT_ONCE = 2**20
_MOST_LISTED = 2**24
"""Bytes of an archive's list of its members, of which each takes ten times as many in memory; 50 a member and more."""
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, RuntimeError, ValueError, OverflowError)
"""What `zipfile` raises of an archive that is damaged: it decodes names, seeks to offsets and wants passwords, too."""
_ENCRYPTED = 1
"""The bit of a member's flags that says so."""
_STORED_SHARE = 1 / 32
"""What unpacks to many bytes, and is a smaller share of them, does not hold weights."""
_MUCH, _MUCH_OF_A_PICKLE = MUCH, 2**22
"""Bytes that count as many, in an archive and in a pickle: each byte of one can become an object of a hundred."""
_REMEDY = "Copy or save the file again, or leave it out."


@contextlib.contextmanager
def open_archive(path: Path, file: IO[bytes] | None = None) -> Iterator[zipfile.ZipFile]:
    """An archive, with its list of members, once it is known that this is not longer than any net's.

    Args:
        path: the file, for messages.
        file: it, where it is open.

    Raises:
        CheckpointError: the list is longer.
        OSError: the file cannot be opened, or is no regular one.
        zipfile.BadZipFile: it is damaged; `UNREADABLE` has what else is raised then.
    """
    with contextlib.ExitStack() as stack:
        whole = stack.enter_context(open_regular(path)) if file is None else file
        try:
            archive = listed(whole, _MOST_LISTED)
        except LongListError:
            raise CheckpointError(f"{path}: refused, it lists more members than any net has tensors", _REMEDY) from None
        yield stack.enter_context(archive)


class LongListError(ValueError):
    """The list of an archive's members is longer than it may be."""


def listed(file: IO[bytes], most: int) -> zipfile.ZipFile:
    """An archive with its list of members.

    Args:
        file: it, open.
        most: bytes that the list may have.

    Raises:
        LongListError: it has more.
        zipfile.BadZipFile, and what else `UNREADABLE` has: the archive is damaged.
        OSError: the file cannot be read.
    """
    archive = zipfile.ZipFile(cast("IO[bytes]", _Bounded(file, most)))
    archive.fp = file
    return archive


class _Bounded:
    """A file whose list of members is read from it: by one call, for as many bytes as the list has."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most = file, most
        self.seek, self.tell = file.seek, file.tell

    def read(self, count: int = -1) -> bytes:
        if count > self._most:
            raise LongListError
        return self._file.read(count)


def refusals(members: Sequence[zipfile.ZipInfo], size: int) -> Iterator[str]:
    """Why an archive is not read, told by the list of its members alone.

    It unpacks to far more than weights do, in a way that torch does not know, or to two members of a name.

    Args:
        members: in their order.
        size: of the file, in bytes.

    Yields:
        What is wrong, in words that the name of the file stands before.
    """
    names: set[str] = set()
    for member in members:
        if member.filename in names:
            yield f"has two members of one name: {printable(member.filename, 120)!r}"
        names.add(member.filename)
        yield from _refusals_of(member)
    whole, stored = (sum(getattr(member, size) for member in members) for size in ("file_size", "compress_size"))
    if swells(whole, stored, _STORED_SHARE, _MUCH):
        yield f"refused, its {stored:,} bytes unpack to {whole:,}"
    if stored > size:  # each would be read again and again
        yield "damaged: parts of it are several members"


def _refusals_of(member: zipfile.ZipInfo) -> Iterator[str]:
    name = printable(member.filename, 120)
    if member.header_offset < 0:
        yield f"damaged: {name!r} is said to begin before it"
    if member.flag_bits & _ENCRYPTED:
        yield f"damaged or cut off: {name!r} is said to need a password"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield f"{name!r} is compressed in a way that torch does not know"
    if member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size:
        yield f"damaged: {name!r} is said to have two sizes"
    is_pickle = member.filename.endswith(".pkl")
    if is_pickle and swells(member.file_size, member.compress_size, _STORED_SHARE, _MUCH_OF_A_PICKLE):
        yield f"refused, {name!r} unpacks to {member.file_size:,} bytes"


def read_member(archive: zipfile.ZipFile, name: str, most: int | None = None) -> bytes:
    """What a member of an archive holds, or its first bytes; its checksum is compared where all is read.

    Without a number of bytes `zipfile` unpacks all that is there before it takes as many as the archive says.
    """
    with archive.open(name) as content:
        return content.read(archive.getinfo(name).file_size if most is None else most)


def check_sum(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Read a member to its end, where its checksum is compared.

    Raises:
        CheckpointError: it is another, or the member is damaged.
    """
    try:
        with archive.open(member) as content:
            while content.read(_BYTES_AT_ONCE):
                pass
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise CheckpointError(
            f"{path}: damaged: the checksum of {printable(member.filename, 120)!r} is wrong", _REMEDY
        ) from error
