from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.checkpoints.find import CheckpointFile, CheckpointFiles, Search, find_checkpoints, shard
from rfav_cli.errors import CheckpointError, RunError
from tests.checkpoints.formats.files import write_folder

WEIGHTS = {"weight": torch.zeros(2, 3)}
needs_data = pytest.mark.skipif("RFAV_DATA" not in os.environ, reason="RFAV_DATA is not set")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def save(path: Path, value: float = 0, **beside: object) -> Path:
    """A checkpoint whose weights are all one value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": {"weight": torch.full((2, 3), value)}, **beside}, path)
    return path


def epochs(checkpoints: CheckpointFiles) -> list[int]:
    return [entry.epoch for entry in checkpoints.entries]


def test_a_folder_is_ordered_by_number(folder: Path) -> None:
    for number in (10, 9, 2, -1):
        save(folder / f"epoch_{number}.pt")
    checkpoints = find_checkpoints([str(folder)])
    assert epochs(checkpoints) == [-1, 2, 9, 10]
    assert checkpoints.entries[0].path == folder / "epoch_-1.pt"


def test_files_folders_and_globs_mix_and_count_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/epoch_0.pt", "a/epoch_1.pt", "b/c/epoch_2.pt", "epoch_3.pt"):
        save(folder / name)
    assert epochs(find_checkpoints([str(folder / "a"), str(folder / "**/*.pt"), str(folder / "epoch_3.pt")])) == [
        0,
        1,
        2,
        3,
    ]
    monkeypatch.chdir(folder)
    assert epochs(find_checkpoints(["a/epoch_?.pt"])) == [0, 1]
    assert epochs(find_checkpoints(["."])) == [3]


def test_a_folder_takes_checkpoints_by_ending_or_content(folder: Path) -> None:
    save(folder / "epoch_1")
    torch.save(WEIGHTS, folder / "epoch_2", _use_new_zipfile_serialization=False)
    save(folder / "epoch_3.pt")
    (folder / "log.txt").write_text("epoch 3")
    np.savez(folder / "probe.npz", images=np.zeros(3))
    for hidden in (".tmp-epoch_4.pt", ".epoch_5.pt"):
        save(folder / hidden)
    checkpoints = find_checkpoints([str(folder)])
    assert epochs(checkpoints) == [1, 2, 3]
    assert checkpoints.notes == ("skipped 2 files that are no checkpoint",)


@pytest.mark.parametrize("value", [7, 7.0, torch.tensor(7), np.int64(7), np.float64(7)])
def test_a_stored_epoch_wins_over_the_name(folder: Path, value: object) -> None:
    save(folder / "epoch_1.pt", epoch=value)
    assert epochs(find_checkpoints([str(folder)])) == [7]


@pytest.mark.parametrize("value", [7.5, True, "7", torch.ones(2), float("nan"), 2**40])
def test_what_is_no_epoch_does_not_count(folder: Path, value: object) -> None:
    save(folder / "epoch_1.pt", epoch=value)
    assert epochs(find_checkpoints([str(folder)])) == [1]


def test_the_pattern_wins_and_selects(folder: Path) -> None:
    for number in (9, 10):
        save(folder / f"net_{number}_3.pt", epoch=100)
    save(folder / "ema_11_3.pt")
    checkpoints = find_checkpoints([str(folder)], Search("net_{epoch}_*.pt"))
    assert epochs(checkpoints) == [9, 10]
    assert checkpoints.notes == ("skipped 1 file that --epochs does not match",)
    assert epochs(find_checkpoints([str(folder)], Search("*_{epoch}_3.pt"))) == [9, 10, 11]


@pytest.mark.parametrize("pattern", ["net_*.pt", "{epoch}_{epoch}.pt", "other_{epoch}.pt"])
def test_patterns_that_say_nothing(folder: Path, pattern: str) -> None:
    save(folder / "net_1.pt")
    with pytest.raises(RunError, match="--epochs"):
        find_checkpoints([str(folder)], Search(pattern))


def test_a_single_file_without_a_number_is_epoch_0(tmp_path: Path) -> None:
    checkpoints = find_checkpoints([str(save(tmp_path / "weights" / "best.pt"))])
    assert epochs(checkpoints) == [0]
    assert "epoch 0" in checkpoints.notes[0]


def test_files_whose_epoch_is_not_known_are_listed(tmp_path: Path) -> None:
    for value, name in enumerate(("best", "last")):
        save(tmp_path / "weights" / f"{name}.pt", value)
    with pytest.raises(RunError, match=r"2 files cannot be told.*best\.pt.*last\.pt") as caught:
        find_checkpoints([str(tmp_path / "weights")])
    assert "--epochs" in caught.value.remedy


def test_one_epoch_twice_names_both(folder: Path) -> None:
    save(folder / "small_epoch_1.pt")
    save(folder / "large_epoch_1.pt", 1)
    with pytest.raises(RunError, match=r"epoch 1 is there twice.*large_epoch_1\.pt.*small_epoch_1\.pt") as caught:
        find_checkpoints([str(folder)])
    assert f"'{folder}/large_epoch_*.pt'" in caught.value.remedy
    assert "--exclude 'small_epoch_*.pt'" in caught.value.remedy
    assert epochs(find_checkpoints([str(folder)], Search(exclude=["small_epoch_*.pt"]))) == [1]


@pytest.mark.parametrize("name", ["missing.pt", "empty", "*.pt", "text", "a**/x.pt"])
def test_nothing_to_find(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "log.txt").write_text("nothing")
    with pytest.raises(RunError) as caught:
        find_checkpoints([str(tmp_path / name)])
    assert name in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize("kind", [list, enumerate])
def test_the_weights_of_all_epochs_in_one_file_are_said_to_be_that(tmp_path: Path, kind: Any) -> None:
    states = [{"weight": torch.full((2,), float(epoch))} for epoch in range(3)]
    torch.save(states if kind is list else dict(enumerate(states)), tmp_path / "all.pt")
    with pytest.raises(CheckpointError, match=r"several nets or epochs.*\nSave each state_dict in a file of its own"):
        find_checkpoints([tmp_path / "all.pt"])


def test_no_paths() -> None:
    with pytest.raises(RunError, match="no checkpoints"):
        find_checkpoints([])


def test_a_bad_file_stops_or_is_kept_as_bad(folder: Path) -> None:
    save(folder / "epoch_1.pt")
    (folder / "epoch_2.pt").write_text("no checkpoint")
    (folder / "epoch_3.pt").touch()
    with pytest.raises(CheckpointError, match=r"epoch_2\.pt: not a checkpoint \(1 more") as caught:
        find_checkpoints([str(folder)])
    assert "--skip-bad" in caught.value.remedy
    checkpoints = find_checkpoints([str(folder)], Search(skip_bad=True))
    assert epochs(checkpoints) == [1]
    assert [Path(bad.path).name for bad in checkpoints.bad] == ["epoch_2.pt", "epoch_3.pt"]
    assert "empty" in checkpoints.bad[1].reason


def test_all_bad_is_an_error_whatever_is_skipped(folder: Path) -> None:
    folder.mkdir()
    (folder / "epoch_2.pt").write_text("no checkpoint")
    with pytest.raises(CheckpointError):
        find_checkpoints([str(folder)], Search(skip_bad=True))


@given(st.integers(1, 6), st.integers(0, 12))
def test_shards_share_out_a_run(parts: int, size: int) -> None:
    whole = CheckpointFiles(tuple(CheckpointFile(epoch, Path(f"{epoch}.pt")) for epoch in range(size)))
    shares = [shard(whole, f"{k}/{parts}").entries for k in range(1, parts + 1)]
    assert sorted((entry for share in shares for entry in share), key=lambda entry: entry.epoch) == list(whole.entries)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_the_first_shard_begins_with_the_first_checkpoint() -> None:
    whole = CheckpointFiles(tuple(CheckpointFile(epoch, Path(f"{epoch}.pt")) for epoch in (-1, 0, 1, 5)))
    assert epochs(shard(whole, "1/2")) == [-1, 1]
    assert epochs(shard(whole, "2/2")) == [0, 5]


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", "", "²/2", "1/2\n"])
def test_no_shard(part: str) -> None:
    with pytest.raises(RunError, match="--shard"):
        shard(CheckpointFiles(()), part)


@needs_data
@pytest.mark.data
def test_ten_foreign_files_in_numeric_order() -> None:
    checkpoints = find_checkpoints([str(Path(os.environ["RFAV_DATA"]) / "foreign" / "tinyvgg-mnist")])
    assert epochs(checkpoints) == list(range(1, 11))
    assert not checkpoints.notes


@needs_data
@pytest.mark.data
def test_251_foreign_files_are_found_fast() -> None:
    start = time.perf_counter()
    checkpoints = find_checkpoints([str(Path(os.environ["RFAV_DATA"]) / "foreign" / "mlp-251-epochs")])
    assert time.perf_counter() - start < 2
    assert len(checkpoints.entries) == 251
    assert sorted(set(epochs(checkpoints))) == epochs(checkpoints)


def test_a_folder_that_cannot_be_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    save(folder / "epoch_1.pt")
    monkeypatch.setattr(type(folder), "iterdir", refuse)
    with pytest.raises(RunError, match="cannot be listed \\(Permission denied\\)"):
        find_checkpoints([str(folder)])


def test_a_stored_epoch_that_is_not_that_of_the_name_is_doubted(folder: Path) -> None:
    for number, held in ((0, 0), (1, 1), (2, 12), (3, 3)):
        save(folder / f"epoch_{number}.pt", epoch=held)
    checkpoints = find_checkpoints([str(folder)])
    assert epochs(checkpoints) == [0, 1, 3, 12]
    (doubt,) = checkpoints.doubts
    assert (doubt.kind, doubt.where) == ("epoch", "epoch 12")
    assert doubt.words.startswith("epoch_2.pt stores epoch 12")
    assert shard(checkpoints, "2/2").doubts == (doubt,)
    assert find_checkpoints([str(folder)], Search("epoch_{epoch}.pt")).doubts == ()


def test_one_more_in_all_names_is_a_note(folder: Path) -> None:
    for number in (1, 2, 3):
        save(folder / f"epoch_{number}.pt", epoch=number - 1)
    checkpoints = find_checkpoints([str(folder)])
    assert (epochs(checkpoints), checkpoints.doubts) == ([0, 1, 2], ())
    assert any("epoch_1.pt stores 0" in note for note in checkpoints.notes)


def test_an_epoch_that_was_never_counted_is_taken_from_the_names(folder: Path) -> None:
    for number in (1, 2, 3):
        save(folder / f"model_{number}.pt", epoch=0)
    checkpoints = find_checkpoints([str(folder)])
    assert (epochs(checkpoints), checkpoints.doubts) == ([1, 2, 3], ())
    assert checkpoints.notes == ("all files store epoch 0: the epochs in their names are taken",)


def test_folders_that_are_checkpoints(folder: Path) -> None:
    for step in (1, 2):
        write_folder(folder / f"checkpoint-{step}", WEIGHTS)
    write_folder(folder / "logs" / "deep", WEIGHTS)
    named = [str(folder / f"checkpoint-{step}") for step in (2, 1)]
    for paths in (named, [str(folder / "checkpoint-*")], [str(folder)], [str(folder / "checkpoint-*"), *named]):
        found = find_checkpoints(paths)
        assert [(entry.epoch, entry.path.name) for entry in found.entries] == [
            (1, "checkpoint-1"),
            (2, "checkpoint-2"),
        ]
        assert not found.notes


def test_a_glob_gives_no_file_of_a_folder_that_is_a_checkpoint(folder: Path) -> None:
    write_folder(folder / "checkpoint-1", WEIGHTS)
    (entry,) = find_checkpoints([str(folder / "**")]).entries
    assert entry.path == folder / "checkpoint-1"
    (entry,) = find_checkpoints([str(folder / "**" / "*.safetensors")]).entries
    assert entry.path == folder / "checkpoint-1" / "model.safetensors"
