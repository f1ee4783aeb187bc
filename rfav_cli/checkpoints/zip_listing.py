"""Lists zip archives from anyone without torch: what members there are, and what one reader sees and another not.

Readers of zip archives differ in what they take: the list at the end or the headers before each member, the first of
two ends or the last. What would make them differ is said.
"""

from __future__ import annotations

import os
import struct
from copy import copy
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rfav_cli.checkpoints.zips import UNREADABLE, ZIP_MAGIC, LongListError, listed, refusals
from rfav_cli.text import count, printable, what_it_says

if TYPE_CHECKING:
    import zipfile

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 2**16
_LOCAL = struct.Struct("<4s5H3I2H")
_LONGEST_LIST = 2**23
"""Bytes of the list at the end of an archive: that of 80,000 tensors."""
_PADDING = 64
"""Bytes between two members that are no more than what follows a member or fills it up."""
_AT_ONCE = 2**20
_UNIX_LINK = 0xA000


@dataclass
class ZipListing:
    """The members of an archive.

    Attributes:
        archive: opened; None where it cannot be.
        members: in the order of the list at its end.
        size: bytes of the file.
        problem: why it cannot be read, or not all of it; empty where it can.
        differs: whether one reader sees other members than another, as far as `oddities` has found.
    """

    archive: zipfile.ZipFile | None
    members: list[zipfile.ZipInfo]
    size: int
    problem: str = ""
    differs: bool = False

    @classmethod
    def of(cls, file: IO[bytes]) -> ZipListing:
        """List an archive, however damaged."""
        size = file.seek(0, os.SEEK_END)
        try:
            archive = listed(file, _LONGEST_LIST)
        except LongListError:
            return cls(None, [], size, "has more members than are looked through")
        except (*UNREADABLE, OSError) as error:
            return cls(None, [], size, f"damaged or cut off: {what_it_says(error)}")
        return cls(archive, archive.infolist(), size)

    @property
    def root(self) -> str:
        """The folder that all is in, with its slash; empty without."""
        folder, slash, _ = self.members[0].filename.partition("/") if self.members else ("", "", "")
        return folder + slash

    @property
    def short_names(self) -> frozenset[str]:
        """Names without their common folder."""
        names = [member.filename for member in self.members]
        return frozenset(names if any("/" not in name for name in names) else (n.split("/", 1)[1] for n in names))

    def find(self, name: str) -> zipfile.ZipInfo | None:
        """A member by its name; the last of several, as for Python."""
        return self.archive.NameToInfo.get(name) if self.archive else None

    def read(self, member: zipfile.ZipInfo, most: int) -> bytes:
        """What a member holds, up to a number of bytes; its checksum is not compared.

        Raises:
            Exception: as `zipfile` raises it.
        """
        if self.archive is None:
            return b""
        unsummed = copy(member)
        del unsummed.CRC  # what has none is read without a look at it
        with self.archive.open(unsummed) as content:
            return content.read(min(member.file_size, most))

    def refusals(self) -> list[str]:
        """Why rfav would not read it, by the list of its members alone."""
        return list(refusals(self.members, self.size))

    def oddities(self, file: IO[bytes]) -> list[str]:
        """What lets readers see different things in it, or hides something from them."""
        found, spans = [], []
        for member in sorted(self.members, key=lambda member: member.header_offset):
            name = printable(member.filename, 120)
            span = _span(file, member)
            if span is None:
                self.differs = True
                found.append(f"{name!r} is listed where no member of this name begins")
                continue
            spans.append(span)
            if "\0" in member.orig_filename:
                self.differs = True
                found.append(f"{name!r} has a longer name, which readers cut")
            if ".." in member.filename.replace("\\", "/").split("/") or member.filename.startswith(("/", "\\")):
                found.append(f"{name!r} would be unpacked outside the folder")
            if member.external_attr >> 16 & 0xF000 == _UNIX_LINK:
                found.append(f"{name!r} is a link")
        return found + self._gaps(spans) + self._ends(file, spans)

    def _gaps(self, spans: list[tuple[int, int]]) -> list[str]:
        found, end = [], 0
        for start, stop in spans:
            if start < end:
                self.differs = True
                found.append("members lie over one another")
                break
            if start - end > (_PADDING if end else 0):
                found.append(f"{count(start - end, 'byte')} before a member belong to none")
            end = stop
        return found

    def _ends(self, file: IO[bytes], spans: list[tuple[int, int]]) -> list[str]:
        """Whether there is a second end of an archive that lies in no member."""
        begin = max(0, self.size - _END_SIZE - _LONGEST_COMMENT)
        file.seek(begin)
        tail, ends, place = file.read(), [], -1
        while (place := tail.find(_END, place + 1)) >= 0:
            if not any(start <= begin + place < stop for start, stop in spans):
                ends.append(begin + place)
        found = ["has two ends, and readers differ in which they take"] if len(ends) > 1 else []
        self.differs |= bool(found)
        comment = self.archive.comment if self.archive else b""
        behind = self.size - (ends[-1] + _END_SIZE + len(comment)) if ends else 0
        if behind > 0 or len(comment) > _PADDING:
            found.append(f"{count(behind or len(comment), 'byte')} behind its end")
        return found

    def wrong_sums(self) -> list[str]:
        """Members whose content is not what their checksum is of, or cannot be unpacked."""
        if self.archive is None or not any(member.CRC for member in self.members):
            return []  # torch writes archives without checksums, too
        return [printable(member.filename, 120) for member in self.members if not self._is_whole(member)]

    def _is_whole(self, member: zipfile.ZipInfo) -> bool:
        if self.archive is None:
            return False
        try:
            with self.archive.open(member) as content:  # which compares the checksum at the end
                while content.read(_AT_ONCE):
                    pass
        except (*UNREADABLE, NotImplementedError, OSError):
            return False
        return True


def _span(file: IO[bytes], member: zipfile.ZipInfo) -> tuple[int, int] | None:
    """Where a member begins and its content ends; None where its header is none, or has another name."""
    if member.header_offset < 0:
        return None
    file.seek(member.header_offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size:
        return None
    fields = _LOCAL.unpack(head)
    name = file.read(fields[9])
    known = (
        member.orig_filename.encode("utf-8", "surrogateescape"),
        member.orig_filename.encode("cp437", "replace"),
    )
    if fields[0] != ZIP_MAGIC or name not in known:
        return None
    return member.header_offset, member.header_offset + _LOCAL.size + fields[9] + fields[10] + member.compress_size
