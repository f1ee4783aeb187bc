"""HDF5 from an open file, and chunks that the library would read beyond their end."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from rfav_cli.files import hdf5
from rfav_cli.files.hdf5 import is_hdf5, open_stream, wrong_chunks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.h5"


def test_a_file_is_read_from_what_is_in_hand_whatever_takes_its_name(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(9)
    with path.open("rb") as stream:
        path.unlink()
        os.mkfifo(path)
        with open_stream(stream) as file:
            assert file["a"][...].tolist() == list(range(9))


def test_a_file_that_is_cut_off_while_it_is_read_gives_no_figures(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = np.ones(1 << 16)
    with path.open("rb") as stream, open_stream(stream) as file:
        path.write_bytes(path.read_bytes()[:4096])
        with pytest.raises(OSError, match="cut off"):
            file["a"][...]


def with_chunk(path: Path, *, stored: int, due: int, mask: int = 0) -> h5py.h5d.DatasetID:
    """A dataset whose one chunk has the bytes, and the right checksum, of another number of values."""
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        source = file.create_dataset("source", data=np.arange(stored) / 7, chunks=(stored,), fletcher32=True)
        file.flush()
        target = file.create_dataset("a", (due,), "f8", chunks=(due,), fletcher32=True)
        target.id.write_direct_chunk((0,), source.id.read_direct_chunk((0,))[1], mask)
    return h5py.File(path)["a"].id


@pytest.mark.parametrize(
    ("stored", "due", "mask", "said"),
    [
        (9, 9, 0, ""),
        (1, 1_000_000, 0, "a chunk has 12 bytes in place of 8,000,004"),
        (9, 8, 0, "a chunk has 76 bytes in place of 68"),
        (9, 9, 1, "not as its filters make it"),
    ],
)
def test_a_chunk_has_the_size_that_its_shape_makes(path: Path, stored: int, due: int, mask: int, said: str) -> None:
    dataset = with_chunk(path, stored=stored, due=due, mask=mask)
    found = wrong_chunks(dataset, path.stat().st_size)
    assert said in found
    assert bool(said) == bool(found)
    if not said:
        assert "not in the file" in wrong_chunks(dataset, 99)


def test_chunks_that_are_missing_or_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(io.BytesIO(), "w", libver=("v110", "v110")) as file:
        dataset = file.create_dataset("a", (10, 10), "u1", chunks=(3, 4))
        dataset[:4] = 1
        assert wrong_chunks(dataset.id, 1 << 20) == "6 of its 12 chunks are missing"
        dataset[...] = 2
        assert wrong_chunks(dataset.id, 1 << 20) == ""
        assert wrong_chunks(file.create_dataset("none", (0,), "u1", maxshape=(None,)).id, 1 << 20) == ""
        monkeypatch.setattr(hdf5, "MOST_CHUNKS", 11)
        assert wrong_chunks(dataset.id, 1 << 20) == "it is in 12 chunks"


def test_hdf5_is_told_by_its_beginning_or_after_its_users_bytes(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["a"] = 1
    with path.open("rb") as stream:
        stream.seek(7)
        assert is_hdf5(stream)
        assert stream.tell() == 7
    assert not is_hdf5(io.BytesIO(b"x" * 5000))
    assert not is_hdf5(io.BytesIO())
