"""Packing moves the epochs of a folder into one file, and loses nothing of what comes meanwhile."""

from __future__ import annotations

import importlib
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records import BadCheckpoint, Checkpoint, Layer, Measurement
from rfav_cli.store import StoreWriter, open_store, pack
from rfav_cli.store.schema import epoch_file, folder_of
from tests.store.example import assert_same, leftovers, make_run, measure, write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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


def test_opening_without_appending_leaves_a_packed_store_alone(path: Path) -> None:
    write(path, 0)
    pack(path)
    before = path.stat()
    write(path)
    pack(path)
    assert not folder_of(path).exists()
    assert path.stat() == before


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


def test_an_epoch_that_is_written_anew_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rfav.h5"
    writer = StoreWriter.open(path, make_run())
    for epoch in (0, 1, 2):
        writer.append(measure(epoch))
    module = importlib.import_module("rfav_cli.store.pack")  # not the function of this name
    replace = module._replace

    def while_another_writes(*arguments: Any) -> None:
        replace(*arguments)
        writer.append(measure(1, **{"probe/loss": np.float64(7)}))

    monkeypatch.setattr(module, "_replace", while_another_writes)
    assert pack(path).loss.tolist() == [measure(0).columns["probe/loss"], 7, measure(2).columns["probe/loss"]]
    assert epoch_file(folder_of(path), 1).is_file()
    assert not epoch_file(folder_of(path), 0).exists()
    monkeypatch.undo()
    assert pack(path).loss[1] == 7
    assert not folder_of(path).exists()
    assert open_store(path).loss[1] == 7
