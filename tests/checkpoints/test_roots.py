"""What lies below a folder: bounded, without what is hidden, and never out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.checkpoints import roots
from rfav_cli.checkpoints.listing import Exclusion
from rfav_cli.checkpoints.roots import runs_below
from rfav_cli.errors import RunError
from tests.checkpoints.runs import save, weights

if TYPE_CHECKING:
    from pathlib import Path


def below(root: Path, *exclude: str) -> dict[str, list[str]]:
    return {
        run.folder.relative_to(root).as_posix(): [path.relative_to(root).as_posix() for path in run.paths]
        for run in runs_below(root, Exclusion(exclude))
    }


def test_runs_are_told_by_their_folders_and_epochs_are_not_runs(tmp_path: Path) -> None:
    for name in ("a/1.pt", "a/2.pt", "b/epoch_1/model.pt", "b/epoch_2/model.pt", "c/x/y/net.ckpt"):
        save(tmp_path / name, weights())
    save(tmp_path / "hf/checkpoint-5/pytorch_model.bin", weights())
    assert below(tmp_path) == {
        "a": ["a/1.pt", "a/2.pt"],
        "b": ["b/epoch_1/model.pt", "b/epoch_2/model.pt"],
        "c/x/y": ["c/x/y/net.ckpt"],
        "hf": ["hf/checkpoint-5"],
    }
    assert list(below(tmp_path, "a", "c/x")) == ["b", "hf"]


def test_hidden_folders_and_what_is_too_deep_are_skipped(tmp_path: Path) -> None:
    for name in (".cache/1.pt", "a/.git/1.pt", "1/2/3/4/5/6/in.pt", "1/2/3/4/5/6/7/out.pt", "a/notes.txt"):
        save(tmp_path / name, weights())
    assert list(below(tmp_path).values()) == [["1/2/3/4/5/6/in.pt"]]


def test_links_out_of_the_folder_or_in_circles_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    inside = save(root / "run" / "1.pt", weights())
    outside = save(tmp_path / "other" / "2.pt", weights())
    (root / "elsewhere").symlink_to(outside.parent)
    (root / "run" / "3.pt").symlink_to(outside)
    (root / "run" / "up").symlink_to(root)
    (root / "self").symlink_to("self")
    (root / "again").symlink_to(inside.parent)
    found = {path for paths in below(root).values() for path in paths}
    assert found in ({"run/1.pt"}, {"again/1.pt"})


def test_there_is_an_end_to_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        save(tmp_path / "a" / f"{number}.pt", 1)
    monkeypatch.setattr(roots, "MOST_ENTRIES", 5)
    with pytest.raises(RunError, match="more than 5 files"):
        below(tmp_path)
