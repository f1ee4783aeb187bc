"""What is written is what is read, however it was split over writers, files and packs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.errors import StoreError
from rfav_cli.records import BadCheckpoint, Checkpoint, Layer, Measurement, ProbeRecord
from rfav_cli.store import StoreWriter, check_place, open_store, pack
from rfav_cli.store.schema import SCHEMA, epoch_file, folder_of
from tests.store.example import MAPS, SIZE, assert_same, leftovers, make_run, measure


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rfav.h5"


def write(path: Path, *epochs: int) -> StoreWriter:
    writer = StoreWriter.open(path, make_run())
    for epoch in epochs:
        writer.append(measure(epoch))
    return writer


def test_what_is_read_is_what_was_written(path: Path) -> None:
    write(path, 1, -1, 0)
    history = open_store(path)
    run = make_run()
    assert (history.run.layers, history.run.skipped, history.run.settings) == (run.layers, run.skipped, run.settings)
    np.testing.assert_equal(vars(history.run.probe), vars(run.probe))
    assert [checkpoint.epoch for checkpoint in history.checkpoints] == [-1, 0, 1]
    for row, epoch in enumerate((-1, 0, 1)):
        expected = measure(epoch)
        assert history.checkpoints[row] == expected.checkpoint
        assert sorted(history.columns) == sorted(expected.columns)
        for name, values in expected.columns.items():
            assert history.columns[name].dtype == np.asarray(values).dtype
            np.testing.assert_array_equal(history.columns[name][row], values)


def test_packing_changes_the_files_and_nothing_else(path: Path) -> None:
    write(path, 0, 1, 2).record_bad(BadCheckpoint("runs/x.pt", "half a file"))
    loose = open_store(path)
    packed = pack(path)
    assert not folder_of(path).exists()
    assert leftovers(path.parent) == []
    assert_same(loose, packed)
    assert_same(loose, open_store(path))
    assert_same(loose, pack(path))
    # Columns of a history that was opened before the pack find their epochs in the packed file.
    np.testing.assert_array_equal(loose.columns["entropy/map/0"][2], measure(2).columns["entropy/map/0"])


def test_files_have_the_names_and_attributes_of_schema_1(path: Path) -> None:
    write(path, 0)
    pack(path)
    with h5py.File(path) as file:
        assert {"schema": 1, "unit": "nat", "probe_size": SIZE, "centering": "pearson"}.items() <= dict(
            file.attrs
        ).items()
        assert not file.attrs["with_bias"]
        assert file["layer/name"].asstr()[:].tolist() == ["conv1", "fc.é"]
        assert file["layer/positions"].asstr()[0] == "[4, 3]"
        assert file["entropy/map/0"].shape == (1, MAPS, 4, 3)
        assert file["checkpoint/path"].asstr()[0] == "runs/epoch_0.pt"


def test_continuing_knows_what_is_committed(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    writer = write(path, 2)
    assert dict(writer.committed) == {epoch: measure(epoch).checkpoint for epoch in (0, 1, 2)}
    assert dict(StoreWriter.open(path, make_run()).committed) == dict(writer.committed)
    assert open_store(path).epochs.tolist() == [0, 1, 2]


def test_the_folder_wins_over_the_packed_file(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    write(path).append(measure(1, **{"probe/loss": np.float64(7)}))
    assert open_store(path).loss[1] == 7
    assert pack(path).loss[1] == 7


def test_opening_without_appending_leaves_a_packed_store_alone(path: Path) -> None:
    write(path, 0)
    pack(path)
    before = path.stat()
    write(path)
    pack(path)
    assert not folder_of(path).exists()
    assert path.stat() == before


def test_a_store_without_epochs(path: Path) -> None:
    write(path)
    for history in (open_store(path), pack(path), open_store(path)):
        assert len(history) == 0
        assert history.entropy.shape == (0, 2)
        assert "no epochs" in repr(history)
    assert not folder_of(path).exists()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 6), st.booleans()), max_size=10), st.integers(0, 2))
def test_any_split_over_writers_and_packs_reads_the_same(steps: list[tuple[int, bool]], writers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder, "one.h5"), Path(folder, "other.h5")
        write(one, *sorted({epoch for epoch, _ in steps}))
        several = [StoreWriter.open(other, make_run()) for _ in range(writers + 1)]
        for step, (epoch, packs) in enumerate(steps):
            several[step % len(several)].append(measure(epoch))
            if packs:
                pack(other)
        assert_same(open_store(one), open_store(other))
        assert_same(pack(one), pack(other))


def test_two_writers_fill_one_store(path: Path) -> None:
    first, second = StoreWriter.open(path, make_run()), StoreWriter.open(path, make_run())
    for epoch in range(6):
        (first if epoch % 2 else second).append(measure(epoch))
        if epoch == 3:
            pack(path)
    assert sorted(first.committed) == [1, 3, 5]
    assert pack(path).epochs.tolist() == [0, 1, 2, 3, 4, 5]


_WRITE = """
import sys
from pathlib import Path
from rfav_cli.store import StoreWriter, pack
from tests.store.example import make_run, measure
path = Path(sys.argv[1])
writer = StoreWriter.open(path, make_run())
for epoch in range(int(sys.argv[2]), 40, 2):
    writer.append(measure(epoch))
    if epoch % 5 == 0:
        pack(path)
pack(path)
"""


def test_readers_and_packers_beside_two_writers(path: Path) -> None:
    write(path)
    root = Path(__file__).parents[2]
    started = [subprocess.Popen([sys.executable, "-c", _WRITE, path, str(first)], cwd=root) for first in (0, 1)]
    seen = -1
    while any(process.poll() is None for process in started):
        history = open_store(path)
        assert len(history) >= seen
        seen = len(history)
        for row, epoch in enumerate(history.epochs.tolist()):
            np.testing.assert_array_equal(
                history.columns["entropy/map/0"][row], measure(epoch).columns["entropy/map/0"]
            )
    assert [process.returncode for process in started] == [0, 0]
    reference = path.with_name("alone.h5")
    write(reference, *range(40))
    assert_same(pack(path), open_store(reference))
    assert not folder_of(path).exists()


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


def test_a_known_bad_checkpoint_is_not_written_again(path: Path) -> None:
    bad = BadCheckpoint("x.pt", "cut off")
    write(path).record_bad(bad)
    pack(path)
    write(path).record_bad(bad)
    assert not folder_of(path).exists()
    write(path).record_bad(replace(bad, reason="another net"))
    assert open_store(path).bad[0].reason == "another net"


def test_a_new_column_is_missing_from_earlier_epochs(path: Path) -> None:
    write(path, 0, 1).append(measure(2, **{"new/count": np.array([3, 4]), "new/map": np.ones((400, 400), np.float16)}))
    for history in (open_store(path), pack(path), open_store(path)):
        np.testing.assert_array_equal(history.columns["new/count"], [[np.nan] * 2, [np.nan] * 2, [3, 4]])
        lazy = history.columns["new/map"]
        assert "read on use" in repr(lazy)
        assert lazy.dtype == np.float16
        assert np.isnan(lazy[0]).all()
        assert (lazy[2] == 1).all()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "key",
    [
        *(0, -1, np.int64(2), [0, 2], ..., None, (), (1, 0), (..., 0), ([0, 1], [1, 0]), (0, slice(None), [1, 2])),
        *(slice(1, 3), slice(None, None, -1), slice(9, 9), (slice(0, 2), 1, slice(1, 3))),
        np.array([True, False, True, False]),
    ],
)
def test_a_lazy_column_indexes_like_an_array(path: Path, key: object, packed: bool) -> None:
    write(path, 0, 1, 2, 3)
    lazy = (pack(path) if packed else open_store(path)).columns["entropy/map/0"]
    whole = np.stack([measure(epoch).columns["entropy/map/0"] for epoch in range(4)])
    assert (lazy.shape, lazy.dtype, len(lazy)) == (whole.shape, whole.dtype, 4)
    np.testing.assert_array_equal(lazy[key], whole[key])
    np.testing.assert_array_equal(np.asarray(lazy), whole)


def test_a_lazy_column_has_no_epoch_beyond_the_last(path: Path) -> None:
    write(path, 0)
    with pytest.raises(IndexError):
        open_store(path).columns["entropy/map/0"][1]


def test_a_lazy_column_does_not_read_another_run(path: Path) -> None:
    write(path, 0)
    history = open_store(path)
    StoreWriter.open(path, make_run(with_bias=True), fresh=True).append(measure(0))
    with pytest.raises(StoreError, match="not there any more"):
        history.columns["entropy/map/0"][0]


def test_packing_needs_no_more_memory_for_more_epochs(path: Path) -> None:
    run = replace(make_run(), layers=(Layer("conv1", "Conv2d", 8, (8, 3, 3, 3), (256, 256)),))
    writer = StoreWriter.open(path, run)
    heatmap = np.ones((8, 256, 256), np.float16)
    for epoch in range(24):
        writer.append(Measurement(Checkpoint(epoch, "x", "00"), {"entropy/map/0": heatmap}))
    tracemalloc.start()
    history = pack(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 24 * heatmap.nbytes
    assert peak < 3 * heatmap.nbytes
    assert history.maps("conv1").shape == (24, 8, 256, 256)


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


def test_other_probe_layers_and_settings_are_named(path: Path) -> None:
    write(path, 0)
    run = make_run(with_bias=True, model="zoo:lenet")
    probe = ProbeRecord("cd" * 32, 7, source="other/")
    layers = (replace(run.layers[0], channels=9), run.layers[1])
    for packs in (False, True):
        if packs:
            pack(path)
        with pytest.raises(StoreError, match="holds another run") as caught:
            StoreWriter.open(path, replace(run, probe=probe, layers=layers))
        assert "with_bias: False / True" in caught.value.what
        assert "model: '' / zoo:lenet" in caught.value.what
        assert (
            "probe: 5 samples of cifar10:data (sha256 abababab) / 7 samples of other/ (sha256 cdcd" in caught.value.what
        )
        assert "layers: conv1 Conv2d 8 (4, 3) / conv1 Conv2d 9 (4, 3)" in caught.value.what
        assert "--fresh" in caught.value.remedy
    assert open_store(path).epochs.tolist() == [0]


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


@pytest.mark.parametrize("place", ["missing/rfav.h5", "file/rfav.h5", ".", "x" * 255])
def test_a_place_where_no_store_can_be(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"rfav\.h5|tmp|x{9}") as caught:
        StoreWriter.open(tmp_path / place, make_run())
    assert "--out" in caught.value.remedy


def test_errors_name_the_store_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("rfav.h5")
    write(path, 0)
    other = Path("deeper")
    other.mkdir()
    history = open_store(path)
    failures = [
        lambda: StoreWriter.open(path, make_run(with_bias=True)),
        lambda: StoreWriter.open(other / "none" / "rfav.h5", make_run()),
        lambda: StoreWriter.open(other, make_run()),
        lambda: open_store(other / "rfav.h5"),
    ]
    for fail in failures:
        with pytest.raises(StoreError) as caught:
            fail()
        assert str(tmp_path) not in str(caught.value)
    epoch_file(folder_of(path), 0).unlink()
    monkeypatch.chdir(other)
    with pytest.raises(StoreError, match=r"^rfav\.h5: what was opened is not there any more"):
        history.maps("conv1")[0]


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
    with pytest.raises(StoreError, match="with schema 2"):
        check_place(path)
    check_place(path, fresh=True)
    path.write_text("a note")
    for fresh in (False, True):
        with pytest.raises(StoreError, match="not an rfav store"):
            check_place(path, fresh=fresh)


def test_a_name_that_is_too_long_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be written \(File name too long\)"):
        check_place(tmp_path / ("x" * 300))
    with pytest.raises(StoreError, match=r"cannot be read \(File name too long\)"):
        open_store(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        StoreWriter.open(tmp_path / "rfav.h5", make_run())


def test_a_folder_that_refuses_is_said_before_any_work(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("rfav_cli.atomic.os.open", refuse)
    with pytest.raises(StoreError, match=r"cannot be written \(Permission denied\)"):
        StoreWriter.open(path, make_run())


def test_a_history_looks_at_itself(path: Path) -> None:
    write(path, -1, 0, 1).record_bad(BadCheckpoint("x.pt", "cut off"))
    history = pack(path)
    assert len(history) == 3
    assert history.epochs.tolist() == [-1, 0, 1]
    assert history.entropy.shape == (3, 2)
    assert history.loss[1] == measure(0).columns["probe/loss"]
    assert history.accuracy[2] == measure(1).columns["probe/accuracy"]
    np.testing.assert_array_equal(history.mean_map("conv1")[1], measure(0).columns["entropy/mean_map/0"])
    assert history.maps("conv1").shape == (3, MAPS, 4, 3)
    with pytest.raises(KeyError, match="no layer 'conv9'; there are 'conv1'"):
        history.maps("conv9")
    text = repr(history)
    for part in (str(path), "3 epochs, -1 to 1", "5 samples of cifar10:data", "conv1", "of 2.079 nat", "1 files could"):
        assert part in text
