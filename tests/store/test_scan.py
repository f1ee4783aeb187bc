"""A store is the union of its files, whoever wrote them, and of one run alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.records import BadCheckpoint
from rfav_cli.store import StoreWriter, open_store, pack
from rfav_cli.store.scan import is_there, listing, scan, state_of
from rfav_cli.store.schema import epoch_file, folder_of
from tests.store.example import make_run, measure, write

if TYPE_CHECKING:
    from pathlib import Path


def test_the_folder_wins_over_the_packed_file(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    write(path).append(measure(1, **{"probe/loss": np.float64(7)}))
    assert open_store(path).loss[1] == 7
    assert pack(path).loss[1] == 7


def test_a_bad_checkpoint_is_forgotten_when_it_becomes_good(path: Path) -> None:
    writer = write(path)
    for name in ("../../../etc/x", "runs/epoch_0.pt"):
        writer.record_bad(BadCheckpoint(name, "cut off"))
    assert [bad.path for bad in open_store(path).bad] == ["../../../etc/x", "runs/epoch_0.pt"]
    assert not any("etc" in file.name for file in path.parent.rglob("*"))
    pack(path)
    write(path, 0)
    assert open_store(path).bad == (BadCheckpoint("../../../etc/x", "cut off"),)
    assert pack(path).bad == (BadCheckpoint("../../../etc/x", "cut off"),)


def test_a_new_column_is_missing_from_earlier_epochs(path: Path) -> None:
    write(path, 0, 1).append(measure(2, **{"new/count": np.array([3, 4]), "new/map": np.ones((400, 400), np.float16)}))
    for history in (open_store(path), pack(path), open_store(path)):
        np.testing.assert_array_equal(history.columns["new/count"], [[np.nan] * 2, [np.nan] * 2, [3, 4]])
        lazy = history.columns["new/map"]
        assert "read on use" in repr(lazy)
        assert lazy.dtype == np.float16
        assert np.isnan(lazy[0]).all()
        assert (lazy[2] == 1).all()


def test_an_epoch_of_another_run_is_never_mixed_in(path: Path) -> None:
    write(path, 0)
    other = path.with_name("other.h5")
    StoreWriter.open(other, make_run(with_bias=True)).append(measure(1))
    epoch_file(folder_of(other), 1).rename(epoch_file(folder_of(path), 1))
    for use in (open_store, pack):
        with pytest.raises(StoreError, match=r"epoch-000001.h5: belongs to another run"):
            use(path)


def test_a_file_that_names_another_epoch(path: Path) -> None:
    write(path, 0)
    epoch_file(folder_of(path), 0).rename(epoch_file(folder_of(path), 3))
    with pytest.raises(StoreError, match="another epoch than its name says"):
        open_store(path)


def test_a_scan_knows_where_each_epoch_lies(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    write(path, 3, 2)
    found = scan(path)
    assert list(found.rows) == [0, 1, 2, 3]
    places = [(row.path.name, row.index) for row in found.rows.values()]
    assert places == [("rfav.h5", 0), ("rfav.h5", 1), ("epoch-000002.h5", 0), ("epoch-000003.h5", 0)]
    assert {file.name for file in found.stamps} == {"rfav.h5", "epoch-000002.h5", "epoch-000003.h5"}
    assert found.small == {}
    small = scan(path, read_small=True).small
    assert [epochs for epochs, _ in small["probe/loss"]] == [[2], [3], [0, 1]]
    assert "entropy/map/0" not in small


def test_integers_are_floats_where_an_epoch_has_none(path: Path) -> None:
    write(path, 0).append(measure(1, **{"new/count": np.array([3, 4])}))
    column_types = scan(path).column_types
    assert (column_types["new/count"].dtype, column_types["nonfinite"].dtype.kind) == (np.float64, "i")
    assert np.isnan(column_types["new/count"].missing).all()
    write(path).append(measure(0, **{"new/count": np.array([1, 2])}))
    assert scan(path).column_types["new/count"].dtype.kind == "i"


def test_epochs_whose_columns_have_other_shapes_do_not_make_a_store(path: Path) -> None:
    write(path, 0).append(measure(1, **{"new/a": np.zeros(3)}))
    write(path).append(measure(2, **{"new/a": np.zeros(4)}))
    with pytest.raises(StoreError, match=r"new/a is \(4,\) an epoch, and \(3,\) in other epochs"):
        scan(path)


def test_whether_there_is_anything_and_whether_it_has_changed(path: Path) -> None:
    assert not is_there(path)
    assert state_of(path) == ()
    states = [state_of(path)]
    write(path)
    states.append(state_of(path))
    write(path, 0)
    states.append(state_of(path))
    pack(path)
    states.append(state_of(path))
    assert is_there(path)
    assert len(set(states)) == 4
    assert state_of(path) == states[-1]


def test_other_files_in_the_folder_are_passed_over(path: Path) -> None:
    write(path, 0).record_bad(BadCheckpoint("x.pt", "cut off"))
    for name in ("notes.txt", "epoch-12.h5", "epoch-000001.h5.bak", ".tmp-epoch-000001.h5-0", "bad-x.h5"):
        (folder_of(path) / name).write_text("not ours")
    assert [file.name.split("-")[0] for file in listing(path)] == ["bad", "epoch"]
    assert list(scan(path).rows) == [0]


def test_files_that_vanish_again_and_again_are_an_error_and_no_loop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, 0)

    def vanish(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("rfav_cli.store.scan.opened", vanish)
    with pytest.raises(StoreError, match="its files vanish while they are read"):
        scan(path)
