from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rfav_cli.files.sizes import MUCH, bytes_on_disk, swells

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("whole", "stored", "expected"),
    [(MUCH, 0, False), (MUCH + 1, 0, True), (4 * MUCH, MUCH, False), (4 * MUCH, MUCH - 1, True)],
)
def test_much_swells_where_too_small_a_share_is_stored(whole: int, stored: int, expected: bool) -> None:
    assert swells(whole, stored, 1 / 4) is expected


def test_a_kind_of_file_may_have_a_limit_of_its_own() -> None:
    assert swells(1001, 9, 1 / 100, much=1000)
    assert not swells(1000, 9, 1 / 100, much=1000)


def test_holes_are_no_bytes(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        file.truncate(2**30)
    assert bytes_on_disk((tmp_path / "x").stat()) < 2**30 or not hasattr(os, "SEEK_HOLE")


def test_what_was_written_counts_once(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")  # which takes a block
    with (tmp_path / "x").open("rb") as file:
        os.fsync(file.fileno())
    assert bytes_on_disk((tmp_path / "x").stat()) <= 3
