"""A store into its one file."""

from __future__ import annotations

import pytest

import rfav_cli
from rfav_cli.errors import StoreError
from rfav_cli.store import StoreWriter
from tests.store.example import make_run, measure


def test_the_files_beside_a_store_go_into_it(tmp_path):
    path = tmp_path / "rfav.h5"
    writer = StoreWriter.open(path, make_run())
    for epoch in (0, 1):
        writer.append(measure(epoch))
    assert (tmp_path / "rfav.h5.d").is_dir()
    history = rfav_cli.pack(str(path))
    assert history.epochs.tolist() == rfav_cli.open_store(path).epochs.tolist() == [0, 1]
    assert not (tmp_path / "rfav.h5.d").exists()
    assert rfav_cli.pack(path).epochs.tolist() == [0, 1]


def test_there_must_be_a_store(tmp_path):
    with pytest.raises(StoreError, match=r"none\.h5"):
        rfav_cli.pack(tmp_path / "none.h5")
