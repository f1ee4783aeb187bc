"""What a path, a folder and a glob mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rfav_cli.checkpoints.listing import Exclusion, folders_of, is_checkpoint, list_checkpoints, listing
from rfav_cli.errors import RunError
from tests.checkpoints.runs import save, weights


@pytest.mark.parametrize(
    ("glob", "path", "out"),
    [
        ("ema_*", "runs/ema_1.pt", True),
        ("*.onnx", "runs/ema_1.pt", False),
        ("runs/*", "runs/ema_1.pt", True),
        ("old", "runs/old/1.pt", True),
        ("old/", "runs/old/1.pt", True),
        ("old/*.pt", "runs/old/1.pt", True),
        ("old", "runs/older/1.pt", False),
        ("runs/**/1.pt", "runs/a/b/1.pt", True),
    ],
)
def test_a_glob_excludes_by_name_or_path(glob: str, path: str, out: bool) -> None:
    exclusion = Exclusion([glob, "x"])
    assert exclusion.leaves_out(Path(path)) == out
    assert exclusion.unused() == (["x"] if out else [glob, "x"])


def test_a_folder_gives_its_checkpoints_and_counts_the_rest(tmp_path: Path) -> None:
    paths = [save(tmp_path / name, weights()) for name in ("1.pt", "2")]
    save(tmp_path / "below" / "3.pt", weights())
    save(tmp_path / ".4.pt", weights())
    (tmp_path / "log.txt").write_text("text")
    found = list_checkpoints(str(tmp_path), Exclusion())
    assert (list(found.paths), found.others, found.whole) == (paths, 1, None)
    assert list_checkpoints(str(paths[1]), Exclusion(["2"])).paths == (paths[1],)  # named, so meant
    assert list_checkpoints(f"{tmp_path}/*/*.pt", Exclusion()).paths == (tmp_path / "below" / "3.pt",)
    assert folders_of(f"{tmp_path}/*", Exclusion()) == [tmp_path / "below"]
    assert folders_of(f"{tmp_path}/*", Exclusion(["below"])) == []


def test_a_folder_that_is_a_checkpoint_is_one(tmp_path: Path) -> None:
    save(tmp_path / "pytorch_model.bin", weights())
    assert list_checkpoints(str(tmp_path), Exclusion()).paths == (tmp_path,)
    save(tmp_path / "checkpoint-5" / "pytorch_model.bin", weights())
    found = list_checkpoints(str(tmp_path), Exclusion())
    assert (found.paths, found.whole) == ((tmp_path / "checkpoint-5",), tmp_path)


@pytest.mark.parametrize("text", ["missing", "*.pt"])
def test_what_is_not_there(tmp_path: Path, text: str) -> None:
    with pytest.raises(RunError, match=r"no such file|matches no file"):
        list_checkpoints(str(tmp_path / text), Exclusion())
    assert listing(str(tmp_path / text)) == []


def test_an_ending_makes_a_checkpoint_so_that_damage_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "1.pt").write_text("no")
    (tmp_path / "1.txt").write_text("no")
    assert is_checkpoint(tmp_path / "1.pt")
    assert not is_checkpoint(tmp_path / "1.txt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are POSIX")
def test_what_is_no_file_is_told_of_where_it_is_named_or_named_as_a_checkpoint(tmp_path: Path) -> None:
    save(tmp_path / "1.pt", weights())
    for name in ("2.pt", "log"):
        os.mkfifo(tmp_path / name)
    assert list_checkpoints(str(tmp_path), Exclusion()).paths == (tmp_path / "1.pt", tmp_path / "2.pt")
    assert list_checkpoints(str(tmp_path / "log"), Exclusion()).paths == (tmp_path / "log",)
    assert list_checkpoints("/dev/zero", Exclusion()).paths == (Path("/dev/zero"),)


def test_a_name_that_is_too_long_is_none(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="too long"):
        list_checkpoints(str(tmp_path / ("x" * 5000)), Exclusion())
