"""Doubts in a store: each once, in whichever file, and those that follow from the figures told anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.records import DOUBT_KINDS, Derived, Doubt
from rfav_cli.store import open_store, pack
from rfav_cli.store.doubts import file_name
from rfav_cli.store.schema import folder_of
from tests.store.example import write

if TYPE_CHECKING:
    from pathlib import Path

CHANCE = Doubt("chance", "fc.é", "two forwards differ by 0.3", "Switch it off.", 1.0)
EPOCH = Doubt("epoch", "runs/epoch_3.pt", "it holds epoch 4", "Rename it.", 0.75)
DERIVED = Doubt("accuracy", "", "the accuracy is at chance", "Look at the probe.", 0.5)


@pytest.mark.parametrize("packed", [False, True])
def test_a_doubt_is_kept_once_in_the_order_of_kinds(path: Path, packed: bool) -> None:
    writer = write(path, 0)
    for doubt in (EPOCH, CHANCE, EPOCH):
        writer.record_doubt(doubt)
    if packed:
        pack(path)
        write(path, 1).record_doubt(CHANCE)  # which the packed file has
        assert not list(folder_of(path).glob("doubt-*"))
    assert open_store(path).doubts == (CHANCE, EPOCH)
    assert pack(path).doubts == (CHANCE, EPOCH)


@pytest.mark.parametrize("kind", DOUBT_KINDS)
def test_each_kind_comes_back_as_it_was_written(path: Path, kind: str) -> None:
    doubt = Doubt(kind, "a/b\n", "words – 字", "", 0.0)  # type: ignore[arg-type]
    write(path, 0).record_doubt(doubt)
    assert pack(path).doubts == (doubt,)


def test_doubts_of_several_writers_come_together(path: Path) -> None:
    one, other = write(path, 0), write(path)
    one.record_doubt(CHANCE)
    other.record_doubt(CHANCE)
    other.record_doubt(replace(CHANCE, where="conv1"))
    assert [doubt.where for doubt in pack(path).doubts] == ["conv1", "fc.é"]


def test_what_follows_from_the_figures_is_written_for_others_and_not_read_back(path: Path) -> None:
    write(path, 0, 1).record_doubt(CHANCE)
    history = pack(path, lambda history: Derived((DERIVED,), {"checkpoint/distance": np.arange(len(history)) / 2}))
    assert history.doubts == (CHANCE,)
    with h5py.File(path) as file:
        assert file["doubt/kind"].asstr()[:].tolist() == ["chance", "accuracy"]
        assert file["doubt/derived"][:].tolist() == [0, 1]
        assert file["doubt/certainty"][:].tolist() == [1.0, 0.5]
        assert file["checkpoint/distance"][:].tolist() == [0.0, 0.5]
    write(path, 2)
    history = pack(path, lambda history: Derived((), {"checkpoint/distance": np.zeros(len(history))}))
    assert np.asarray(history.columns["checkpoint/distance"]).tolist() == [0.0, 0.0, 0.0]
    assert history.doubts == (CHANCE,)


def test_a_column_of_another_length_is_not_written(path: Path) -> None:
    """Another writer may add an epoch between the look and the packing."""
    write(path, 0, 1)
    assert "checkpoint/distance" not in pack(path, lambda _: Derived((), {"checkpoint/distance": np.zeros(1)})).columns


def test_a_fresh_store_has_no_old_doubts(path: Path) -> None:
    write(path, 0).record_doubt(CHANCE)
    from rfav_cli.store import StoreWriter
    from tests.store.example import make_run

    StoreWriter.open(path, make_run(), fresh=True)
    assert open_store(path).doubts == ()


def test_a_store_of_schema_1_has_none(path: Path) -> None:
    write(path, 0)
    pack(path)
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = 1
    assert open_store(path).doubts == ()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("doubt/certainty", np.array([1.5])),
        ("doubt/certainty", np.array([np.nan])),
        ("doubt/certainty", np.array([1.0, 1.0])),
        ("doubt/kind", np.array([b"gossip"])),
        ("doubt/words", np.array([b"a", b"b"])),
        ("doubt/derived", None),
    ],
)
def test_a_list_of_doubts_that_is_none_is_refused(path: Path, name: str, values: np.ndarray | None) -> None:
    write(path, 0).record_doubt(CHANCE)
    pack(path)
    with h5py.File(path, "r+") as file:
        del file[name]
        if values is not None:
            file[name] = values
    with pytest.raises(StoreError, match="list of doubts"):
        open_store(path)


def test_files_of_different_doubts_have_different_names() -> None:
    doubts = [CHANCE, EPOCH, replace(CHANCE, where=""), replace(CHANCE, words="x"), replace(CHANCE, kind="batch")]
    assert len({file_name(doubt) for doubt in doubts}) == len(doubts)
    assert file_name(CHANCE) == file_name(replace(CHANCE, certainty=0.5, remedy=""))


def test_a_file_of_more_doubts_than_anybody_reads_is_refused(path: Path) -> None:
    write(path, 0).record_doubt(CHANCE)
    pack(path)
    with h5py.File(path, "r+") as file:
        for name in list(file["doubt"]):
            values = file["doubt"][name][:]
            del file["doubt"][name]
            file["doubt"][name] = np.repeat(values, 10_001)
    with pytest.raises(StoreError, match="it holds 10,001 doubts"):
        open_store(path)
