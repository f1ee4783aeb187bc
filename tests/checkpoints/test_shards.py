from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.checkpoints.shards import indexed_files, joined, numbered_files
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["model-00001-of-00002.bin", "model-00002-of-00002.bin"]


def index_of(folder: Path, weight_map: Any) -> Path:
    path = folder / "model.bin.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "checkpoint-1"
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).touch()
    return folder


def test_the_files_that_an_index_names(folder: Path) -> None:
    index = index_of(folder, {"b": NAMES[1], "a": NAMES[0], "c": NAMES[0]})
    assert indexed_files(index) == [folder / name for name in NAMES]


@pytest.mark.parametrize("weight_map", [None, [], {}, {"a": 1}, {"a": [NAMES[0]]}, "model"])
def test_an_index_that_says_nothing(folder: Path, weight_map: Any) -> None:
    with pytest.raises(CheckpointError, match="does not say"):
        indexed_files(index_of(folder, weight_map))


@pytest.mark.parametrize(
    "name",
    ["../secret.bin", "/etc/passwd", "a/b.bin", "..", ".", "", ".hidden", "a\\b", "a\x00b", "a\nb", "x" * 300, "C:a"],
)
def test_a_name_that_leads_elsewhere_is_refused(folder: Path, name: str) -> None:
    (folder.parent / "secret.bin").touch()
    with pytest.raises(CheckpointError, match="no name of a file beside it") as caught:
        indexed_files(index_of(folder, {"a": name}))
    assert caught.value.what.isprintable()


def test_a_link_to_another_folder_is_refused(folder: Path) -> None:
    (folder.parent / "secret.bin").touch()
    (folder / "link.bin").symlink_to(folder.parent / "secret.bin")
    with pytest.raises(CheckpointError, match="a link to another folder"):
        indexed_files(index_of(folder, {"a": "link.bin"}))


def test_the_links_of_the_hubs_cache_are_followed(tmp_path: Path) -> None:
    folder, blobs = tmp_path / "models--a--b" / "snapshots" / "abc", tmp_path / "models--a--b" / "blobs"
    folder.mkdir(parents=True)
    blobs.mkdir()
    (blobs / "123").touch()
    (folder / NAMES[0]).symlink_to("../../blobs/123")
    assert indexed_files(index_of(folder, {"a": NAMES[0]})) == [folder / NAMES[0]]


def test_a_file_that_is_missing(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.bin is not there"):
        indexed_files(index_of(folder, {"a": NAMES[0], "b": "gone.bin"}))


def test_files_without_an_index(folder: Path) -> None:
    assert numbered_files(folder, [*reversed(NAMES), "config.json"]) == [folder / name for name in NAMES]


def test_files_without_an_index_of_which_one_is_missing(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="1 of the 2 files"):
        numbered_files(folder, NAMES[1:])


def test_two_sets_without_an_index(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="2 sets"):
        numbered_files(folder, [*NAMES, "model-00001-of-00001.safetensors"])


def test_what_the_files_hold_together(folder: Path) -> None:
    parts = {NAMES[0]: {"a": 1, "c": 3}, NAMES[1]: {"b": 2}}
    index = index_of(folder, {"a": NAMES[0], "c": NAMES[0], "b": NAMES[1]})
    files = indexed_files(index)
    assert joined(folder, files, lambda file: parts[file.name], index) == {"a": 1, "b": 2, "c": 3}
    assert joined(folder, files, lambda file: parts[file.name], None) == {"a": 1, "b": 2, "c": 3}


def test_a_weight_in_two_files(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="'a' is in two"):
        joined(folder, numbered_files(folder, NAMES), lambda _: {"a": 1}, None)


def test_a_weight_that_is_not_where_the_index_says(folder: Path) -> None:
    parts = {NAMES[0]: {"a": 1, "b": 2}, NAMES[1]: {"c": 3}}
    index = index_of(folder, {"a": NAMES[0], "b": NAMES[1], "c": NAMES[1]})
    with pytest.raises(CheckpointError, match=r"'b' is not in model-00002-of-00002\.bin"):
        joined(folder, indexed_files(index), lambda file: parts[file.name], index)
