"""What lies at the top of a file; hostile files are in `sources/test_hostile.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from rfav_cli.data.hdf5_files import check, data_sets, is_hdf5
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from pathlib import Path


def test_no_link_is_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["images"] = np.zeros((3, 2))
        file["soft"] = h5py.SoftLink("/images")
        file["out"] = h5py.ExternalLink("y.h5", "/images")
    assert is_hdf5(tmp_path / "x.h5")
    assert set(data_sets(tmp_path / "x.h5")) == {"images"}


def test_a_data_set_has_what_it_declares(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        check(tmp_path, file.create_dataset("blank", (1000, 3, 8, 8), "u1", chunks=(100, 3, 8, 8), compression="gzip"))
        with pytest.raises(SampleError, match="/much: refused, its 0 bytes stand for"):
            check(tmp_path, file.create_dataset("much", (10**6, 3, 64, 64), "u1", chunks=(1, 3, 64, 64)))
