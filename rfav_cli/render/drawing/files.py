"""The files that figures are written to: what they say of themselves, and how ours are told."""

from __future__ import annotations

import os
import re
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAKER = "rfav plot"
METADATA: dict[str, dict[str, str | None]] = {
    "pdf": {"Creator": MAKER, "CreationDate": None},
    "svg": {"Creator": MAKER, "Date": None},
    "png": {"Software": MAKER},
}
"""Format -> what is said in the file, and what is left out of it, so that the same store gives the same bytes."""
_NEAR = 4096
"""Bytes at the start or end of a file within which our metadata are."""


def is_png(file: IO[bytes]) -> bool:
    """Whether a PNG says that we made it."""
    head = file.read(_NEAR)
    return head.startswith(b"\x89PNG\r\n\x1a\n") and f"tEXtSoftware\0{MAKER}".encode() in head


def is_svg(file: IO[bytes]) -> bool:
    """Whether an SVG says that we made it."""
    head = file.read(_NEAR)
    return head.startswith(b'<?xml version="1.0"') and f"<dc:title>{MAKER}</dc:title>".encode() in head


def is_pdf(file: IO[bytes]) -> bool:
    """Whether a PDF says that we made it: in its last object, which the table of objects follows.

    A document that a figure of ours was put into has another one there.
    """
    if file.read(5) != b"%PDF-":
        return False
    file.seek(-min(_NEAR, file.seek(0, os.SEEK_END)), os.SEEK_END)
    table = re.search(rb"startxref\s+(\d{1,12})\s+%%EOF\s*\Z", file.read())
    if table is None:
        return False
    end = int(table[1])
    file.seek(max(0, end - _NEAR))
    last = file.read(min(_NEAR, end)).rpartition(b" obj\n")[2]
    return f"/Creator ({MAKER})".encode() in last


MARKS: Mapping[str, Callable[[IO[bytes]], bool]] = {"pdf": is_pdf, "png": is_png, "svg": is_svg}
"""Format -> what tells a file that we wrote."""
