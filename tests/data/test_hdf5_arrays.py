"""What lies at the top of a file; hostile files are in `sources/test_hostile.py`."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from rfav_cli.data.hdf5_arrays import Stored, check, data_sets
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from pathlib import Path


def test_no_link_is_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w", userblock_size=1024) as file:
        file["images"] = np.zeros((3, 2))
        file["soft"] = h5py.SoftLink("/images")
        file["out"] = h5py.ExternalLink("y.h5", "/images")
    with (tmp_path / "x.h5").open("rb") as opened:
        found = data_sets(opened)
    assert set(found) == {"images"}
    assert found["images"][()].tolist() == np.zeros((3, 2)).tolist()


def test_a_data_set_has_what_it_declares(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        check("", file.create_dataset("blank", (1000, 3, 8, 8), "u1", chunks=(100, 3, 8, 8), compression="gzip"))
        with pytest.raises(SampleError, match="/much: refused, its 0 bytes stand for"):
            Stored(tmp_path, file.create_dataset("much", (10**6, 3, 64, 64), "u1", chunks=(1, 3, 64, 64)))


FILTERS = [
    {},
    {"fletcher32": True},
    {"compression": "gzip"},
    {"compression": "gzip", "shuffle": True, "fletcher32": True},
    {"compression": "lzf", "shuffle": True},
]


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: "-".join(filters))
@pytest.mark.parametrize("chunk", [(4, 8), (3, 5)])
def test_what_any_filter_packed_is_read(tmp_path: Path, filters: dict[str, Any], chunk: tuple[int, int]) -> None:
    values = np.repeat(np.random.default_rng(0).integers(0, 4, (10, 4)), 2, axis=1).astype("f4")
    values[3:6] = 0
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("images", data=values, chunks=chunk, **filters)
        file.create_dataset("unwritten", (10, 8), "f4", chunks=chunk, **filters)
    with (tmp_path / "x.h5").open("rb") as opened:
        found = data_sets(opened)
    images = Stored(tmp_path, found["images"])
    assert (len(images), images.shape, images.dtype) == (10, (10, 8), np.dtype("f4"))
    assert np.array_equal(images[np.array([0, 4, 9])], values[[0, 4, 9]])
    assert np.array_equal(images[()], values)
    assert not Stored(tmp_path, found["unwritten"])[()].any()


LZF_OF_FEW = bytes([31, *range(32)])
SHORT: dict[str, tuple[dict[str, Any], bytes, int]] = {
    "no filter": ({}, b"\1" * 64, 0),
    "a checksum that is left out": ({"fletcher32": True}, b"\1" * 64, 1),
    "gzip": ({"compression": "gzip"}, zlib.compress(b"\1" * 64), 0),
    "gzip that is left out": ({"compression": "gzip"}, b"\1" * 64, 1),
    "gzip of more": ({"compression": "gzip"}, zlib.compress(bytes(5000)), 0),
    "gzip that is damaged": ({"compression": "gzip"}, b"\1" * 64, 0),
    "gzip after shuffle": ({"compression": "gzip", "shuffle": True}, zlib.compress(b"\1" * 64), 0),
    "lzf": ({"compression": "lzf"}, LZF_OF_FEW, 0),
    "lzf that is cut off": ({"compression": "lzf"}, LZF_OF_FEW + b"\xff", 0),
    "lzf that copies what there is not": ({"compression": "lzf"}, LZF_OF_FEW + b"\x3f\xff", 0),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_chunk_of_another_size_than_its_shape_is_refused(tmp_path: Path, name: str) -> None:
    filters, content, left_out = SHORT[name]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset("images", (8, 32), "f4", chunks=(8, 32), **filters)
        data.id.write_direct_chunk((0, 0), content, filter_mask=left_out)
    with (tmp_path / "x.h5").open("rb") as opened:
        images = Stored(tmp_path, data_sets(opened)["images"])
    with pytest.raises(SampleError, match="/images is damaged: a chunk has not the 1,024 bytes of its shape"):
        images[np.array([3])]


def test_filters_that_are_not_known_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset("images", (8, 32), "i4", chunks=(8, 32), scaleoffset=0)
        with pytest.raises(SampleError, match="/images has chunks with filters that are not known"):
            Stored(tmp_path, data)
