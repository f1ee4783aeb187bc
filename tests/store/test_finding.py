from __future__ import annotations

import os
from typing import TYPE_CHECKING

import h5py

from rfav_cli.store import Finder, finding, is_store
from tests.browser.stores import names_of, write_store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def store(path: Path, **options: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_store(path, names_of(2), epochs=3, samples=4, images=0, side=4, **options)
    return path


def test_it_finds_what_is_ours_at_any_depth(tmp_path: Path) -> None:
    packed, running = store(tmp_path / "a" / "b" / "exp.h5"), store(tmp_path / "run" / "rfav.h5", stop=2)
    both = store(tmp_path / "both.h5")
    (tmp_path / "both.h5.d").mkdir()
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["schema"] = 1
    (tmp_path / "text.h5").write_text("no HDF5")
    (tmp_path / "other.h5.d").mkdir()
    assert not running.exists()
    assert Finder(tmp_path).find() == ([packed, both, running], True)


def test_a_damaged_store_of_the_usual_name_is_found(tmp_path: Path) -> None:
    whole = store(tmp_path / "rfav.h5")
    whole.write_bytes(whole.read_bytes()[:600])
    assert Finder(tmp_path).find() == ([whole], True)


def test_links_and_what_is_hidden_are_passed_over(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    store(outside / "rfav.h5")
    store(outside / "running.h5", stop=1)
    store(inside / ".hidden" / "rfav.h5")
    (inside / "folder").symlink_to(outside)
    (inside / "rfav.h5").symlink_to(outside / "rfav.h5")
    (inside / "running.h5.d").symlink_to(outside / "running.h5.d")
    (inside / "loop").symlink_to(inside)
    (inside / "linked.h5.d").mkdir()
    (inside / "linked.h5.d" / "run.h5").symlink_to(outside / "running.h5.d" / "run.h5")
    assert Finder(inside).find() == ([], True)


def test_it_ends_after_so_many_files_and_says_so(tmp_path: Path) -> None:
    near = store(tmp_path / "near.h5")
    store(tmp_path / "a" / "b" / "c" / "far.h5")
    assert Finder(tmp_path).find(most=3) == ([near], False)


def test_a_file_is_opened_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store(tmp_path / "exp.h5")
    opened = []
    monkeypatch.setattr(finding, "is_store_file", lambda each, **_: opened.append(each) or True)
    finder = Finder(tmp_path)
    finder.find()
    finder.find()
    os.utime(path, (1, 1))
    assert finder.find()[0] == [path]
    assert opened == [path, path]


def test_a_folder_that_is_not_there_or_may_not_be_read(tmp_path: Path) -> None:
    assert Finder(tmp_path / "none").find() == ([], True)


def test_a_store_is_one_packed_or_not_and_nothing_else_is(tmp_path: Path) -> None:
    packed, running = store(tmp_path / "packed.h5"), store(tmp_path / "running.h5", stop=2)
    assert not running.exists()
    (tmp_path / "epoch_1.pt").write_text("weights")
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["schema"] = 1
    found = {name: is_store(tmp_path / name) for name in ("epoch_1.pt", "weights.h5", "nothing.h5", ".")}
    assert found == dict.fromkeys(found, False)
    assert is_store(packed)
    assert is_store(running)
