"""What a file of samples declares, held against what it has before anything is made of it; files read with a limit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.regular_files import open_regular
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

MUCH = 2**28
"""Bytes that a file may unpack to whatever its size: blank images and masks shrink to a thousandth."""
MANY = 2**20
"""Samples that a file may have whatever its size."""
FEWEST = 1 / 200
"""The smallest share of more bytes than that which is stored of samples that anybody has measured or drawn."""
_REMEDY = "Give a file that was not compressed or repeated so much."


def swells(whole: int, stored: int) -> bool:
    """Whether so many bytes are declared that what is stored cannot be samples of them.

    >>> swells(2**30, 2**20), swells(2**30, 2**29), swells(2**20, 0)
    (True, False, False)
    """
    return whole > MUCH and stored < whole * FEWEST


def refuse_swelling(what: str, whole: int, stored: int, samples: int = 0) -> None:
    """Refuse what declares far more than is stored.

    Args:
        what: the file and what in it, for the message.
        whole: the bytes that are declared.
        stored: those that there are.
        samples: how many are declared, where that is known.

    Raises:
        SampleError: it does, or there are more samples than bytes.
    """
    if swells(whole, stored):
        raise SampleError(f"{what}: refused, its {stored:,} bytes stand for {whole:,}", _REMEDY)
    if samples > max(MANY, stored):
        raise SampleError(f"{what}: refused, its {stored:,} bytes stand for {samples:,} samples", _REMEDY)


@dataclass
class Account:
    """What pictures that are in memory together unpack to, and what they are stored in.

    Attributes:
        what: that they are of, for messages.
    """

    what: str
    _whole: int = 0
    _stored: int = 0

    def add(self, whole: int, stored: int) -> None:
        """Count one more.

        Raises:
            SampleError: they unpack to far more than is stored.
        """
        self._whole += whole
        self._stored += stored
        refuse_swelling(self.what, self._whole, self._stored)


def bytes_on_disk(file: IO[bytes]) -> int:
    """The bytes of a file that were written, without its holes, as far as the system tells."""
    status = os.fstat(file.fileno())
    return min(status.st_size, getattr(status, "st_blocks", status.st_size) * 512)


def read_text(path: Path, most: int, remedy: str, *, name: str = "") -> str:
    """A file of text, in UTF-8.

    Args:
        path: the file.
        most: bytes that it may have.
        remedy: what to do where it cannot be read.
        name: what messages call it; its path by default.

    Raises:
        SampleError: it cannot be read, is no regular file, too large, or no text.
    """
    where = name or printable(path)
    try:
        with open_regular(path) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise SampleError(f"{where}: too large (more than {most:,} bytes)", remedy)
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SampleError(f"{where}: {what_it_says(error)}", remedy_for(error, remedy)) from error
