"""Following a store beside its writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.commands.show import follow
from rfav_cli.errors import StoreError
from rfav_cli.store import StoreWriter, pack
from tests.store.example import make_run, measure

if TYPE_CHECKING:
    from pathlib import Path


def test_each_new_epoch_is_seen_and_a_pack_is_none(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    found = follow(path, interval=0.001)
    assert next(found) is None  # nothing there
    writer = StoreWriter.open(path, make_run())
    writer.append(measure(0))
    history = next(found)
    assert history is not None
    assert history.epochs.tolist() == [0]
    pack(path)
    writer.append(measure(3))
    history = next(found)
    assert history is not None
    assert history.epochs.tolist() == [0, 3]


def test_a_store_without_an_epoch_is_none(tmp_path: Path) -> None:
    StoreWriter.open(tmp_path / "run.h5", make_run())
    assert next(follow(tmp_path / "run.h5")) is None


def test_what_is_no_store_raises(tmp_path: Path) -> None:
    (tmp_path / "run.h5").write_text("no store")
    with pytest.raises(StoreError):
        next(follow(tmp_path / "run.h5"))
