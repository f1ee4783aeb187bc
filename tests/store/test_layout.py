"""No bit of a store changes unnoticed: HDF5's own checksums lie over every dataset and all of its metadata."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.records import BadCheckpoint, Doubt, History
from rfav_cli.store import open_store, pack
from rfav_cli.store.hdf5 import opened
from rfav_cli.store.layout import chunks_of, new_file, write_attribute, write_numbers, write_texts
from rfav_cli.store.schema import folder_of
from tests.store.example import assert_same, measure_little, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLIPS = 1000
BLOCKS = 60


@pytest.fixture
def whole(path: Path) -> bytes:
    """A packed store with something of each kind in it."""
    writer = write(path)
    for epoch in (-1, 3):
        writer.append(measure_little(epoch))
    writer.record_bad(BadCheckpoint("runs/x.pt", "half a file"))
    writer.record_doubt(Doubt("classes", "probe", "it has others", "Give --probe.", 0.5))
    pack(path)
    return path.read_bytes()


def read(path: Path) -> History:
    """A store with all of its figures."""
    history = open_store(path)
    return replace(history, columns={name: np.asarray(column) for name, column in history.columns.items()})


def goes_unnoticed(path: Path, changed: bytes, before: History) -> str:
    """What a file says once these are its bytes and did not say before; empty where it is refused or says the same."""
    path.write_bytes(changed)
    try:
        after = open_store(path)
        assert_same(before, after)
        assert before.doubts == after.doubts
    except StoreError as error:
        return "" if str(path) in error.what else error.what
    except AssertionError as error:
        return str(error)
    return ""


def test_no_flipped_bit_goes_unnoticed(path: Path, whole: bytes) -> None:
    before, generator = read(path), random.Random(21)
    for place in generator.sample(range(len(whole) * 8), FLIPS):
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        assert not goes_unnoticed(path, changed, before), place


def faults(whole: bytes, generator: random.Random) -> Iterator[bytes]:
    """What disks and copies do: cut off, pieces appended, blocks swapped, emptied, repeated."""
    for _ in range(BLOCKS):
        size = 1 << generator.randrange(1, 13)
        one, other = (size * generator.randrange(len(whole) // size) for _ in range(2))
        swapped = bytearray(whole)
        swapped[one : one + size], swapped[other : other + size] = whole[other : other + size], whole[one : one + size]
        yield bytes(swapped)
        for filling in (bytes(size), b"\xff" * size, whole[other : other + size]):
            yield whole[:one] + filling + whole[one + size :]
    for _ in range(BLOCKS // 10):
        yield whole[: generator.randrange(len(whole))]
        yield whole + generator.randbytes(generator.randrange(5000))
        yield generator.randbytes(generator.choice([1, 512, 1024])) + whole


def test_no_broken_block_goes_unnoticed(path: Path, whole: bytes) -> None:
    before = read(path)
    for number, changed in enumerate(faults(whole, random.Random(7))):
        assert not goes_unnoticed(path, changed, before), number


@pytest.mark.parametrize("packed", [True, False])
def test_every_file_is_checked_to_the_last_text(path: Path, packed: bool) -> None:
    write(path, 0).record_bad(BadCheckpoint("runs/x.pt", "half a file"))
    if packed:
        pack(path)
    files = [path] if packed else sorted(folder_of(path).iterdir())
    assert len(files) == (1 if packed else 3)
    for each in files:
        raw = each.read_bytes()
        assert raw[8] == 3  # the superblock's version: the first with checksums everywhere
        assert b"GCOL" not in raw  # a heap, which has none
        with opened(each) as file:
            assert all(map(file.is_checked, file.datasets))


@pytest.mark.parametrize(
    ("shape", "itemsize", "chunks"),
    [
        ((0,), 4, (1,)),
        ((0, 3), 8, (1, 3)),
        ((1, 20), 8, (1, 20)),
        ((10**6,), 8, (8192,)),
        ((10, 1 << 16), 1, (1, 1 << 16)),
        ((10, 7, 1 << 22), 8, (1, 1, 1 << 21)),
        ((3, 0, 2), 8, (3, 1, 2)),
    ],
)
def test_chunks_hold_whole_epochs_where_these_are_small(
    shape: tuple[int, ...], itemsize: int, chunks: tuple[int, ...]
) -> None:
    assert chunks_of(shape, itemsize) == chunks


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (5,), (300, 41, 7)])
def test_numbers_are_read_as_they_were_written(path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).random(shape)
    with path.open("w+b") as stream, new_file(stream) as file:
        write_numbers(file, "a", values)
        write_texts(file, "b", ["é", "", "long enough"])
        write_texts(file, "c", [])
        write_attribute(file, "schema", 2)
        for name, text in (("rfav_version", "1"), ("some", "é"), ("none", "")):
            write_attribute(file, name, text)
    with opened(path) as stored:
        assert (stored.read("a") == values).all()
        assert (stored.texts("b"), stored.texts("c")) == (["é", "", "long enough"], [])
        assert [stored.attribute(name, "?") for name in ("rfav_version", "some", "none", "other")] == [
            "1",
            "é",
            "",
            "?",
        ]
        assert all(map(stored.is_checked, stored.datasets))


def unchecked(source: Path, target: Path) -> None:
    """A store as rfav wrote it before there were checksums."""
    with h5py.File(source) as new, h5py.File(target, "w", libver=("v108", "v108")) as old:
        for name, value in new.attrs.items():
            old.attrs[name] = value.decode() if isinstance(value, bytes) else value
        with opened(source) as file:
            for name in file.datasets:
                old[name] = new[name][...]


def test_a_store_without_checksums_is_read_as_it_always_was(path: Path, whole: bytes) -> None:
    assert whole
    before, old = read(path), path.with_name("old.h5")
    unchecked(path, old)
    assert_same(before, open_store(old))
    with opened(old) as file:
        assert not any(map(file.is_checked, file.datasets))
    with h5py.File(old, "r+") as changed:
        changed.attrs["schema"] = 1
    assert_same(before, open_store(old))
