"""Zip archives from anyone: opened with a look at how much they list, and no more unpacked than they say."""

from __future__ import annotations

import contextlib
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, cast

from rfav_cli.errors import CheckpointError
from rfav_cli.regular_files import open_regular
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BYTES_AT_ONCE = 2**20
_MOST_LISTED = 2**24
"""Bytes of an archive's list of its members, of which each takes ten times as many in memory; 50 a member and more."""
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, RuntimeError, ValueError, OverflowError)
"""What `zipfile` raises of an archive that is damaged: it decodes names, seeks to offsets and wants passwords, too."""
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
        archive = zipfile.ZipFile(cast("IO[bytes]", _Bounded(path, whole)))
        archive.fp = whole
        yield stack.enter_context(archive)


class _Bounded:
    """A file whose list of members is read from it: by one call, for as many bytes as the list has."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file
        self.seek, self.tell = file.seek, file.tell

    def read(self, count: int = -1) -> bytes:
        if count > _MOST_LISTED:
            raise CheckpointError(f"{self._path}: refused, it lists more members than any net has tensors", _REMEDY)
        return self._file.read(count)


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
