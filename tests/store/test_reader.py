"""A store is read as it was written: numbers at once, heatmaps on use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.records import BadCheckpoint
from rfav_cli.store import StoreWriter, open_store, pack
from rfav_cli.store.schema import folder_of
from tests.store.example import MAPS, make_run, measure, write

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_store_without_epochs(path: Path) -> None:
    write(path)
    for history in (open_store(path), pack(path), open_store(path)):
        assert len(history) == 0
        assert history.entropy.shape == (0, 2)
        assert "no epochs" in repr(history)
    assert not folder_of(path).exists()


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
    for part in (str(path), "3 epochs, -1 to 1", "5 samples of cifar10:data", "conv1", "of 2.079 nat", "1 file could"):
        assert part in text
