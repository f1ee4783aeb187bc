"""What a reader meets while a packer works beside it, and files that are larger than what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.store import hdf5, pack
from rfav_cli.store.hdf5 import opened
from tests.store.example import write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_is_taken_away_while_it_is_opened_is_read_nevertheless(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, 0)
    pack(path)
    real = hdf5.open_stream

    def take_away(stream: Any) -> Any:
        path.unlink()
        return real(stream)

    monkeypatch.setattr(hdf5, "open_stream", take_away)
    with opened(path) as file:
        assert file.read("epoch").tolist() == [0]
    with pytest.raises(FileNotFoundError), opened(path):
        pass


def test_every_dataset_says_whether_it_is_checked(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    with opened(path) as file:
        assert len(file.datasets) > 20
        assert all(map(file.is_checked, file.datasets))
