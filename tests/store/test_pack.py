"""Packing moves the epochs of a folder into one file, and loses nothing of what comes meanwhile."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.store import StoreWriter, open_store, pack
from rfav_cli.store.schema import epoch_file, folder_of
from tests.store.example import make_run, measure

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
