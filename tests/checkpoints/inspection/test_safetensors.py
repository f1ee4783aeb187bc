from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.checkpoints.inspection.files import levels, messages, scanned

if TYPE_CHECKING:
    from pathlib import Path

WEIGHT = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def write(path: Path, header: Any, room: int = 24, text: str = "") -> Path:
    raw = (text or json.dumps(header)).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + bytes(room))
    return path


def test_its_header_is_told(tmp_path: Path) -> None:
    file = scanned(write(tmp_path / "a.safetensors", {"__metadata__": {"format": "pt"}, "weight": WEIGHT}))
    assert (file.format, file.opens, file.findings) == ("safetensors", True, ())
    assert (file.metadata, file.tensor_bytes, file.tensors.first[0].shape) == ({"format": "pt"}, 24, (2, 3))


@pytest.mark.parametrize(
    ("header", "room", "words"),
    [
        ({"a": WEIGHT}, 23, "its tensors need 24"),
        ({"a": WEIGHT}, 25, "belong to no tensor"),
        ({"a": WEIGHT, "b": WEIGHT}, 24, "one after another"),
        ({"a": WEIGHT | {"shape": [2, 2]}}, 24, "its shape does not need"),
        ({"a": WEIGHT | {"dtype": "F99"}}, 24, "a type that is not known"),
        ({"a": WEIGHT | {"shape": [-2, -3]}}, 24, "described as no tensor"),
        ({"a": WEIGHT | {"shape": [2**62, 2**62]}}, 24, "its shape does not need"),
        ({"a": 3}, 24, "described as no tensor"),
        ({"\ud800": WEIGHT}, 24, "names that are no text"),
    ],
)
def test_what_it_says_is_held_against_the_file(tmp_path: Path, header: Any, room: int, words: str) -> None:
    file = scanned(write(tmp_path / "a.safetensors", header, room))
    assert words in messages(file)
    assert (file.opens, "refused" in levels(file)) == (False, True)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    entry = json.dumps(WEIGHT)
    file = scanned(write(tmp_path / "a.safetensors", None, text=f'{{"a": {entry}, "a": {entry}}}'))
    assert "two tensors of one name" in messages(file)


@pytest.mark.parametrize("text", ["{" * 5000, '{"a": ', "{]"])
def test_a_header_that_is_no_json_is_incomplete(tmp_path: Path, text: str) -> None:
    assert levels(scanned(write(tmp_path / "a.safetensors", None, text=text))) == {"incomplete"}


def test_a_header_that_is_longer_than_the_file_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes((90_000_000).to_bytes(8, "little") + b"{}")
    assert "cut off" in messages(scanned(tmp_path / "a.safetensors"))
