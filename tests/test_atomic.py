"""Files that appear whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_all_are_written_in_place_of_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    write_whole({tmp_path / "a": [b"1"], tmp_path / "b": [b"2"]})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def test_none_is_written_where_one_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="No such file") as error:
        write_whole({tmp_path / "a": [b"1"], tmp_path / "nowhere" / "b": [b"2"]})
    assert error.value.filename == str(tmp_path / "nowhere" / "b")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}
    with pytest.raises(OSError, match="directory"):
        write_whole({tmp_path: [b""]})


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    write_whole({tmp_path / "link": [b"1"]})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"1"


def test_what_fails_while_it_is_made_leaves_what_was_there(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("broken")

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ValueError, match="broken"):
        write_whole({tmp_path / "a": pieces()})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}
