"""A run's files appear whole or not at all, and a run is never written over by another."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from rfav_cli.checkpoints.find import find_checkpoints
from rfav_cli.errors import TrainingError
from rfav_cli.training.folder import RunFolder, plain
from rfav_cli.training.position import Position

STATE: dict[str, Any] = {"settings": {}, "others": [], "row": None, "model": {}, "optimizer": {}, "regularizer": None}
STATE["position"] = Position().capture()
WEIGHTS = {"weight": torch.arange(6.0).view(2, 3), "steps": torch.tensor(3)}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A folder as a process leaves it that was killed before it began."""
    (tmp_path / "deep" / "run" / "state").mkdir(parents=True)
    return RunFolder(tmp_path / "deep" / "run")


def opened(path: Path, *, resume: bool) -> None:
    with RunFolder.open(path, resume=resume):
        pass


def save_all(folder: RunFolder, epochs: range = range(-1, 3)) -> None:
    for epoch in epochs:
        folder.save(epoch, {"weight": WEIGHTS["weight"] * epoch})
    folder.save_state(STATE | {"model": WEIGHTS})


@pytest.mark.parametrize("there", ["", "deep", "deep/run"])
def test_where_no_run_begins_no_folder_is_left(tmp_path: Path, there: str) -> None:
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    before = [*tmp_path.rglob("*")]
    with RunFolder.open(tmp_path / "deep" / "run", resume=True) as folder:
        assert folder.path.is_dir()
    assert [*tmp_path.rglob("*")] == before
    with RunFolder.open(tmp_path / "deep" / "run", resume=False) as folder:
        (folder.path / "notes.txt").write_text("mine")
    assert [path.name for path in tmp_path.rglob("*")] == ["deep", "run", "notes.txt"]
    with RunFolder.open(tmp_path / "other", resume=False) as folder:
        folder.save_state(STATE)
    opened(tmp_path / "other", resume=True)
    assert (tmp_path / "other" / "state" / "resume.pt").is_file()


def test_checkpoints_are_a_run_that_analyze_reads(folder: RunFolder) -> None:
    save_all(folder, range(-1, 12))
    checkpoints = find_checkpoints([str(folder.path)])
    assert [entry.epoch for entry in checkpoints.entries] == list(range(-1, 12))
    assert [entry.path for entry in checkpoints.entries] == [folder.path_of(epoch) for epoch in range(-1, 12)]
    held = torch.load(folder.path_of(2), weights_only=True)
    assert held["epoch"] == 2
    torch.testing.assert_close(held["model"]["weight"], WEIGHTS["weight"] * 2)


def test_the_last_are_kept(folder: RunFolder) -> None:
    save_all(folder)
    folder.prune(None)
    assert [*folder.checkpoints()] == [-1, 0, 1, 2]
    folder.prune(2)
    assert [*folder.checkpoints()] == [1, 2]
    folder.prune(5)
    assert [*folder.checkpoints()] == [1, 2]
    folder.remove_after(1)
    assert [*folder.checkpoints()] == [1]


def test_a_checkpoint_that_cannot_be_removed_is_an_error(folder: RunFolder) -> None:
    save_all(folder)
    folder.path_of(3).mkdir()
    with pytest.raises(TrainingError, match="cannot be written"):
        folder.remove_after(2)
    folder.path_of(7).mkdir()
    with pytest.raises(TrainingError, match="cannot be written"):
        folder.prune(1)


def test_a_folder_with_a_run_needs_resume(folder: RunFolder) -> None:
    opened(folder.path, resume=False)  # nothing in it yet
    save_all(folder)
    with pytest.raises(TrainingError, match="a run already") as caught:
        opened(folder.path, resume=False)
    assert "--resume" in caught.value.remedy
    opened(folder.path, resume=True)


def test_two_at_once_cannot_have_a_folder(folder: RunFolder) -> None:
    save_all(folder)
    with RunFolder.open(folder.path, resume=True):
        for resume in (False, True):
            with pytest.raises(TrainingError, match="another process trains there"):
                opened(folder.path, resume=resume)
    opened(folder.path, resume=True)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["epoch_-1.pt", "epoch_7.pt", "log.jsonl", "rfav.h5", "rfav.h5.d"])
def test_files_of_another_run_are_never_touched(tmp_path: Path, name: str, resume: bool) -> None:
    (tmp_path / name).write_bytes(b"somebody's")
    with pytest.raises(TrainingError, match="did not come from here"):
        opened(tmp_path, resume=resume)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"somebody's"


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    for place in (tmp_path / "run", tmp_path / "run" / "deeper"):
        with pytest.raises(TrainingError, match="run"):
            opened(place, resume=False)


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_loses_nothing(folder: RunFolder, monkeypatch: pytest.MonkeyPatch, call: str, code: int) -> None:
    save_all(folder)
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}

    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    for use in (lambda: folder.save(3, WEIGHTS), lambda: folder.save(2, WEIGHTS), lambda: folder.save_state(STATE)):
        with monkeypatch.context() as patch:
            patch.setattr(f"rfav_cli.files.atomic.os.{call}", fail)
            with pytest.raises(TrainingError, match="no room left") as caught:
                use()
        assert "--resume" in caught.value.remedy
        assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before


def test_a_damaged_state_is_an_error(folder: RunFolder) -> None:
    assert folder.load_state() is None
    save_all(folder)
    path = folder.path / "state" / "resume.pt"
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"no pickle"):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match="damaged"):
            folder.load_state()


def test_a_state_with_more_than_data_is_read_where_it_is_trusted(folder: RunFolder) -> None:
    folder.save_state(STATE | {"model": {"_extra_state": Path("somewhere")}})
    with pytest.raises(TrainingError, match=r"resume\.pt: needs pathlib[\w.]*, which could run code") as caught:
        folder.load_state()
    assert "--i-trust-this-pickle" in caught.value.remedy
    state = RunFolder(folder.path, trust=True).load_state()
    assert state is not None
    assert state["model"] == {"_extra_state": Path("somewhere")}


@pytest.mark.parametrize(
    "state",
    [
        {name: value for name, value in STATE.items() if name != "others"},
        STATE | {"clock": 1.0},
        STATE | {"position": {"epoch": 1, "step": 0}},
        STATE | {"position": None},
        [1, 2],
    ],
)
def test_a_state_of_another_version_is_called_that(folder: RunFolder, state: object) -> None:
    save_all(folder)
    torch.save(state, folder.path / "state" / "resume.pt")
    with pytest.raises(TrainingError, match="another version of rfav") as caught:
        folder.load_state()
    assert "--init" in caught.value.remedy


def test_what_a_killed_run_left_half_written_is_removed(folder: RunFolder) -> None:
    (folder.path / ".tmp-rfav-abcd").write_bytes(b"half")
    opened(folder.path, resume=True)
    assert [*folder.path.iterdir()] == [folder.path / "state"]


def test_plain_weights_share_no_memory() -> None:
    weight = torch.arange(24.0).view(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    copy = plain({"weight": weight, "version": 3})
    weight.zero_()
    assert copy["weight"].is_contiguous()
    assert copy["weight"].sum() == 276
    assert copy["version"] == 3


@pytest.mark.parametrize("place", ["state", "state/resume.pt", "log.jsonl"])
def test_nothing_is_written_or_removed_through_a_link(tmp_path: Path, place: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "run" / place).parent.mkdir(parents=True)
    if place == "state":
        elsewhere.mkdir()
        (elsewhere / ".tmp-rfav-0").write_bytes(b"mine")
    else:
        elsewhere.write_bytes(b"mine")
    (tmp_path / "run" / place).symlink_to(elsewhere)
    for resume in (False, True):
        with pytest.raises(TrainingError, match="is a link, which no run has there"):
            opened(tmp_path / "run", resume=resume)
    assert [path.read_bytes() for path in (elsewhere.iterdir() if place == "state" else [elsewhere])] == [b"mine"]


def test_what_is_no_file_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run" / "log.jsonl")
    with pytest.raises(TrainingError, match="is a FIFO"):
        opened(tmp_path / "run", resume=True)


def test_two_trainings_are_told_apart_where_the_file_system_has_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rfav_cli.files.locks.lock", lambda *_, **__: None)
    monkeypatch.setattr("rfav_cli.files.claims._SETTLED", 0.0)
    before = [*tmp_path.rglob("*")]
    with RunFolder.open(tmp_path / "run", resume=False), pytest.raises(TrainingError) as caught:
        opened(tmp_path / "run", resume=True)
    assert str(caught.value).startswith(f"{tmp_path / 'run'}: another process trains there now (process {os.getpid()}")
    assert [*tmp_path.rglob("*")] == before
