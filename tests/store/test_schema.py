"""The names, attributes and shapes of schema 2."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from rfav_cli.store import pack
from rfav_cli.store.schema import (
    INDEX,
    PER_RUN,
    damaged,
    epoch_file,
    folder_of,
    is_column,
    is_heatmap,
    is_name,
    not_a_store,
)
from tests.store.example import MAPS, SIZE, write


def test_files_have_the_names_and_attributes_of_schema_2(path: Path) -> None:
    write(path, 0)
    pack(path)
    with h5py.File(path) as file:
        assert {"schema": 2, "unit": b"nat", "probe_size": SIZE, "centering": b"pearson"}.items() <= dict(
            file.attrs
        ).items()
        assert not file.attrs["with_bias"]
        assert file["layer/name"].asstr()[:].tolist() == ["conv1", "fc.é"]
        assert file["layer/positions"].asstr()[0] == "[4, 3]"
        assert file["entropy/map/0"].shape == (1, MAPS, 4, 3)
        assert file["checkpoint/path"].asstr()[0] == "runs/epoch_0.pt"


@pytest.mark.parametrize("name", ["probe/loss", "new", "a_1/b/c", "entropy/map/12", "layer/width"])
def test_any_new_name_is_a_column(name: str) -> None:
    assert is_name(name)
    assert is_column(name)


@pytest.mark.parametrize("name", ["", "a/b/c/d", "/a", "a/", "A", "a-b", "a.b", "..", "é", "a\n", "a//b"])
def test_no_path_is_a_name(name: str) -> None:
    assert not is_name(name)
    assert not is_column(name)


def test_what_is_kept_once_is_no_column() -> None:
    assert not any(is_column(name) for name in PER_RUN | INDEX)
    assert all(is_name(name) for name in PER_RUN | INDEX)


def test_heatmaps_are_told_by_their_name() -> None:
    assert [is_heatmap(name) for name in ("entropy/map/0", "entropy/mean_map/31")] == [True, True]
    assert not any(map(is_heatmap, ("entropy/map", "entropy/map/x", "entropy/map/-1", "new/map/0", "entropy/mean")))


def test_files_beside_a_store_are_named_after_it_and_sorted_by_epoch() -> None:
    folder = folder_of(Path("runs") / "a.h5")
    assert folder == Path("runs") / "a.h5.d"
    names = [epoch_file(folder, epoch).name for epoch in (-1, 0, 12, 123456, 1234567)]
    assert names == ["epoch--00001.h5", "epoch-000000.h5", "epoch-000012.h5", "epoch-123456.h5", "epoch-1234567.h5"]


def test_errors_name_the_file_the_reason_and_what_to_do() -> None:
    for error in (not_a_store(Path("a.h5"), "why"), damaged(Path("a.h5"), "why")):
        assert error.what.startswith("a.h5: ")
        assert "why" in error.what
        assert error.remedy
