"""An epoch is committed or not there; another run, another file and a wrong column are refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.records import BadCheckpoint, Checkpoint
from rfav_cli.store import StoreWriter, check_place, open_store, pack
from rfav_cli.store.schema import SCHEMA, folder_of
from tests.store.example import make_run, measure, write


def test_continuing_knows_what_is_committed(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    writer = write(path, 2)
    assert dict(writer.committed) == {epoch: measure(epoch).checkpoint for epoch in (0, 1, 2)}
    assert dict(StoreWriter.open(path, make_run()).committed) == dict(writer.committed)
    assert open_store(path).epochs.tolist() == [0, 1, 2]


def test_a_known_bad_checkpoint_is_not_written_again(path: Path) -> None:
    bad = BadCheckpoint("x.pt", "cut off")
    write(path).record_bad(bad)
    pack(path)
    write(path).record_bad(bad)
    assert not folder_of(path).exists()
    write(path).record_bad(replace(bad, reason="another net"))
    assert open_store(path).bad[0].reason == "another net"


@pytest.mark.parametrize(
    "name", ["entropy/../x", "/epoch", "epoch", "layer/name", "a/b/c/d", "A", "", "probe/label", "é"]
)
def test_a_column_cannot_choose_a_path(path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a column"):
        write(path).append(measure(0, **{name: np.zeros(2)}))


@pytest.mark.parametrize("name", ["entropy/mean", "probe/loss", "entropy/map/0", "entropy/mean_map/0", "entropy/map/7"])
def test_a_column_has_the_shape_of_the_schema(path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        write(path).append(measure(0, **{name: np.zeros(9)}))


def test_an_epoch_of_another_checkpoint_does_not_replace_one(path: Path) -> None:
    writer = write(path, 0)
    other = replace(measure(0), checkpoint=Checkpoint(0, "runs/other.pt", "ff" * 32))
    with pytest.raises(StoreError, match="epoch 0 was measured from another file") as caught:
        writer.append(other)
    assert "--fresh" in caught.value.remedy


def test_fresh_starts_over(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    write(path, 2)
    writer = StoreWriter.open(path, make_run(with_bias=True), fresh=True)
    assert not writer.committed
    assert not path.exists()
    writer.append(measure(5))
    assert pack(path).epochs.tolist() == [5]


def test_fresh_removes_nothing_that_is_no_store(path: Path) -> None:
    path.write_text("my thesis")
    with pytest.raises(StoreError, match="not an rfav store"):
        StoreWriter.open(path, make_run(), fresh=True)
    assert path.read_text() == "my thesis"


@pytest.mark.parametrize("place", ["missing/rfav.h5", "file/rfav.h5", ".", "x" * 255])
def test_a_place_where_no_store_can_be(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"rfav\.h5|tmp|x{9}") as caught:
        StoreWriter.open(tmp_path / place, make_run())
    assert "--out" in caught.value.remedy


def test_epochs_lie_together_when_the_current_folder_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    writer = write(Path("rfav.h5"), 0)
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir("deeper")
    writer.append(measure(1))
    assert open_store(tmp_path / "rfav.h5").epochs.tolist() == [0, 1]


def test_an_existing_store_is_looked_at_before_any_work(path: Path) -> None:
    check_place(path)
    write(path, 0)
    pack(path)
    check_place(path)
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = SCHEMA + 1
    with pytest.raises(StoreError, match="with schema 3"):
        check_place(path)
    check_place(path, fresh=True)
    path.write_text("a note")
    for fresh in (False, True):
        with pytest.raises(StoreError, match="not an rfav store"):
            check_place(path, fresh=fresh)


def test_a_folder_that_refuses_is_said_before_any_work(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("rfav_cli.files.atomic.os.open", refuse)
    with pytest.raises(StoreError, match=r"cannot be written \(Permission denied\)"):
        StoreWriter.open(path, make_run())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        StoreWriter.open(tmp_path / "rfav.h5", make_run())
