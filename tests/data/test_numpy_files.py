"""Headers are read as numpy writes them; hostile files are in `sources/test_hostile.py`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.data.numpy_files import NpyFile, array_of, npz_members, read_header

if TYPE_CHECKING:
    from pathlib import Path


def saved(array: Any, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), version)
    return file.getvalue()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("kind", ["u1", ">u2", "<i8", "f2", "f8", "?", "c8", "<U5", "S3", "M8[s]"])
def test_a_header_says_what_numpy_wrote(kind: str, version: tuple[int, int]) -> None:
    array = np.zeros((3, 2), kind)
    if kind == "M8[s]":
        with pytest.raises(ValueError, match="an array of objects or records"):
            read_header(io.BytesIO(saved(array, version)))
        return
    header = read_header(io.BytesIO(saved(array, version)))
    assert (header.shape, header.dtype, header.samples, header.bytes) == ((3, 2), array.dtype, 3, array.nbytes)
    assert header.start % 64 == 0


@pytest.mark.parametrize(
    "head",
    [
        b"{'shape': (3L, 2L), 'descr':'<f4','fortran_order':False}",
        b'{"descr": "<f4", "fortran_order": False, "shape": (3, 2)}',
    ],
)
def test_other_writers_headers(head: bytes) -> None:
    content = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + np.arange(6, dtype="<f4").tobytes()
    assert array_of(content).tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("order", ["C", "F"])
def test_samples_are_read_by_their_numbers(order: Any, tmp_path: Path) -> None:
    array = np.asarray(np.arange(60, dtype=">i4").reshape(5, 3, 4), order=order)
    np.save(tmp_path / "x.npy", array)
    with (tmp_path / "x.npy").open("rb") as file:
        read = NpyFile(tmp_path / "x.npy", file)
    assert (len(read), read.shape, read.dtype) == (5, (5, 3, 4), np.dtype(">i4"))
    assert (read[np.array([0, 3, 4])] == array[[0, 3, 4]]).all()
    assert (read[()] == array).all()


def test_members_are_arrays_or_why_they_are_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(4), b=np.array([{}], object), allow_pickle=True)
    with (tmp_path / "x.npz").open("rb") as file:
        members = npz_members(tmp_path / "x.npz", file)
        assert members["a"].read().tolist() == [0, 1, 2, 3]  # type: ignore[union-attr]
        assert isinstance(members["b"], ValueError)
