"""What a reader meets while a packer works beside it, and files that are larger than what is in them."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import hdf5, pack
from rfav_cli.store.hdf5 import is_store_file, opened, too_much
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


@pytest.mark.parametrize(
    ("declared", "size", "blocks", "said"),
    [
        (100, 99, 8, "larger than the file"),
        (100, 100, 0, ""),
        (6 << 30, 7 << 30, 80, "6,442,450,944 bytes of values, of which 40,960 are on the disk"),
        (6 << 30, 7 << 30, 1 << 20, ""),
    ],
)
def test_values_that_take_no_room_are_refused(declared: int, size: int, blocks: int, said: str) -> None:
    status = cast("os.stat_result", SimpleNamespace(st_size=size, st_blocks=blocks))
    assert said in too_much(declared, status)
    assert bool(said) == bool(too_much(declared, status))


def test_a_damaged_store_is_still_known_as_one_and_another_file_is_not(path: Path) -> None:
    write(path, 0)
    pack(path)
    whole = path.read_bytes()
    for at in (9, 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 8]) + whole[at + 1 :])
        with pytest.raises(StoreError, match="damaged"), opened(path):
            pass
        assert is_store_file(path)
    path.write_bytes(whole[:48] + b"\0" * 999)
    assert not is_store_file(path)
