from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.checkpoints import json_files
from rfav_cli.checkpoints.json_files import read_json
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path


def test_an_object_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"epoch": 2.0, "log": [1, {"b": null}]}')
    assert read_json(tmp_path / "a.json") == {"epoch": 2.0, "log": [1, {"b": None}]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[1]", "holds no JSON object"),
        ('{"a": 1, "a": 2}', "'a' stands in it twice"),
        ('{"a": {"b": 1, "b": 2}}', "'b' stands in it twice"),
        ("\ud800".encode("utf-8", "surrogatepass"), "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CheckpointError, match=message) as caught:
        read_json(tmp_path / "a.json")
    assert "a.json" in caught.value.what
    assert "\n" not in caught.value.what
    assert caught.value.remedy


def test_a_name_that_stands_twice_at_the_end_of_many(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{" + "".join(f'"{n}":0,' for n in range(10**5)) + '"last":1,"last":2}')
    with pytest.raises(CheckpointError, match="'last' stands in it twice"):
        read_json(tmp_path / "index.json")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_json(tmp_path / "a.json")


def test_a_file_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "MOST_BYTES", 10)
    (tmp_path / "a.json").write_text('{"a": "0123456789"}')
    with pytest.raises(CheckpointError, match="longer"):
        read_json(tmp_path / "a.json")
