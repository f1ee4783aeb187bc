"""Doubts in HDF5: a list of them in a file of their own beside the epochs, or in the packed file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast, get_args

import numpy as np

from rfav_cli.records import Doubt, DoubtKind
from rfav_cli.store.layout import write_numbers, write_texts
from rfav_cli.store.schema import (
    DOUBT_CERTAINTY,
    DOUBT_DERIVED,
    DOUBT_KIND,
    DOUBT_REMEDY,
    DOUBT_WHERE,
    DOUBT_WORDS,
    damaged,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import h5py

    from rfav_cli.store.hdf5 import StoreFile


_MOST = 10_000
"""Doubts that a file may hold. There is one for a layer or two; all are told, so there is a bound to what is read."""


def file_name(doubt: Doubt) -> str:
    """The file of one doubt, told from those of others by what is doubted and where."""
    said = "\0".join((doubt.kind, doubt.where, doubt.words))
    return f"doubt-{hashlib.sha256(said.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}.h5"


def write_doubts(file: h5py.File, recorded: Sequence[Doubt], derived: Sequence[Doubt] = ()) -> None:
    """Write doubts, where there are any.

    Args:
        file: to write into.
        recorded: seen by a measurement, and known from nothing else.
        derived: told from the store's own figures, for those who read it without rfav, which tells them anew.
    """
    doubts = (*recorded, *derived)
    if not doubts:
        return
    write_texts(file, DOUBT_KIND, [doubt.kind for doubt in doubts])
    write_texts(file, DOUBT_WHERE, [doubt.where for doubt in doubts])
    write_texts(file, DOUBT_WORDS, [doubt.words for doubt in doubts])
    write_texts(file, DOUBT_REMEDY, [doubt.remedy for doubt in doubts])
    write_numbers(file, DOUBT_CERTAINTY, np.array([doubt.certainty for doubt in doubts], np.float64))
    write_numbers(file, DOUBT_DERIVED, np.array([False] * len(recorded) + [True] * len(derived), np.uint8))


def read_doubts(file: StoreFile) -> list[Doubt]:
    """The doubts of a file that were recorded; those derived from its figures are left to be derived anew.

    Raises:
        StoreError: the list is not complete, or holds what is no doubt.
    """
    kinds = file.texts(DOUBT_KIND)
    texts = [file.texts(name) for name in (DOUBT_WHERE, DOUBT_WORDS, DOUBT_REMEDY)]
    if not kinds and not any(texts):
        return []
    if len(kinds) > _MOST:
        raise damaged(file.path, f"it holds {len(kinds):,} doubts")
    numbers = [file.read(name) for name in (DOUBT_CERTAINTY, DOUBT_DERIVED) if name in file.datasets]
    if len(numbers) < 2 or {len(kinds)} != {*map(len, texts), *(column.size for column in numbers)}:
        raise damaged(file.path, "its list of doubts is not complete")
    certainty, derived = (column.reshape(-1) for column in numbers)
    if not set(kinds) <= set(get_args(DoubtKind)) or not ((certainty >= 0) & (certainty <= 1)).all():
        raise damaged(file.path, "its list of doubts holds what is no doubt")
    return [
        Doubt(cast("DoubtKind", kind), where, words, remedy, float(certainty[row]))
        for row, (kind, where, words, remedy) in enumerate(zip(kinds, *texts, strict=True))
        if not derived[row]
    ]
