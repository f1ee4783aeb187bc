"""What a file of samples declares, held against what it has before anything is made of it; files read with a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.files.regular import open_regular
from rfav_cli.files.sizes import swells
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

MANY = 2**20
"""Samples that a file may have whatever its size."""
FEWEST = 1 / 200
"""The smallest share of samples that anybody has measured or drawn which is stored, where they are many: blank images
and masks shrink to a thousandth."""
_REMEDY = "Give a file that was not compressed or repeated so much."


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
    if swells(whole, stored, FEWEST):
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
