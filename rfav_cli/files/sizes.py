"""What a file declares, held against what there is of it: one rule, with a share of its own for each kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

MUCH = 2**28
"""Bytes that may be declared whatever there is: so many do no harm."""
_BLOCK = 512
"""Bytes that `st_blocks` counts."""


def swells(whole: int, stored: int, share: float, much: int = MUCH) -> bool:
    """Whether far more bytes are declared than are stored.

    Args:
        whole: the bytes that are declared.
        stored: those that there are.
        share: the smallest share of what is declared that files of this kind have.
        much: bytes that may be declared whatever is stored.

    >>> swells(2**30, 2**20, 1 / 200), swells(2**30, 2**29, 1 / 200), swells(2**20, 0, 1 / 200)
    (True, False, False)
    """
    return whole > much and stored < whole * share


def bytes_on_disk(status: os.stat_result) -> int:
    """The bytes of a file that were written, without its holes, as far as the system tells."""
    return min(status.st_size, getattr(status, "st_blocks", status.st_size) * _BLOCK)
