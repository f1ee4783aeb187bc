"""Where the run is that a place means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rfav_cli.checkpoints.find import Search, find_checkpoints
from rfav_cli.errors import CheckpointError, RunError
from tests.checkpoints.runs import adam, found, numbers, save, weights

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["lightning_logs/version_0/checkpoints/epoch={}-step={}0.ckpt"], "lightning_logs/version_0/checkpoints"),
        (["models/model_{}.pth"], "models"),
        (["weights/epoch{}.pt"], "weights"),
        (["files/media/ckpt/net_{}.bin"], "files/media/ckpt"),
        (["epoch_{}/model.pt"], ""),
        (["ckpts/{}/weights/net.pt"], "ckpts"),
        (["checkpoints/step-{}/model.pt"], "checkpoints"),
    ],
)
def test_the_one_run_below_a_root_is_taken(tmp_path: Path, names: list[str], folder: str) -> None:
    for number in (1, 2, 10):
        for name in names:
            save(tmp_path / name.format(number, number), weights(number))
    save(tmp_path / "optimizer.pt", adam())
    save(tmp_path / "data" / "train.pt", {"images": weights()["conv.weight"]})
    (tmp_path / "log.txt").write_text("epoch 1")
    files = found(tmp_path)
    assert [entry.epoch for entry in files.entries] == [1, 2, 10]
    assert any(note == f"took the checkpoints in {tmp_path / folder}" for note in files.notes) == bool(folder)


def test_what_lies_in_the_folder_itself_goes_before(tmp_path: Path) -> None:
    save(tmp_path / "epoch_1.pt", weights())
    save(tmp_path / "old" / "epoch_7.pt", weights())
    assert numbers(found(tmp_path)) == {"epoch_1.pt": 1}


def test_several_runs_are_listed_and_the_newest_can_be_typed(tmp_path: Path) -> None:
    for version in range(2):
        for epoch in range(version + 1):
            path = save(tmp_path / f"logs/version_{version}/checkpoints/epoch={epoch}.ckpt", weights())
            os.utime(path, (1000, 1000 - version))
    with pytest.raises(RunError, match=r"2 runs lie below it.*version_0/checkpoints \(1 checkpoint\)") as caught:
        found(tmp_path)
    assert caught.value.remedy.endswith(f" {tmp_path}/logs/version_0/checkpoints.")
    assert len(found(tmp_path / "logs/version_1").entries) == 2
    assert numbers(found(tmp_path, exclude=["version_1"])) == {"epoch=0.ckpt": 0}


@pytest.mark.parametrize("name", ["fold_{}/best.pt", "seed{}/best.pt", "run-{}/best.pt", "resnet{}/best.pt"])
def test_folders_of_runs_are_no_epochs(tmp_path: Path, name: str) -> None:
    for number in (1, 2):
        save(tmp_path / name.format(number), weights(number))
    with pytest.raises(RunError, match="2 runs lie below it"):
        found(tmp_path)


def test_a_glob_of_folders(tmp_path: Path) -> None:
    for epoch in (0, 1, 12):
        save(tmp_path / f"epoch_{epoch}" / "model.pt", weights(epoch))
        save(tmp_path / f"epoch_{epoch}" / "optimizer.pt", adam())
    files = find_checkpoints([str(tmp_path / "epoch_?")], Search())
    assert [entry.epoch for entry in files.entries] == [0, 1]
    assert [entry.epoch for entry in find_checkpoints([str(tmp_path / "epoch_*")], Search()).entries] == [0, 1, 12]
    shell = [str(tmp_path / f"epoch_{epoch}") for epoch in (0, 1, 12)]
    assert [entry.epoch for entry in find_checkpoints(shell, Search()).entries] == [0, 1, 12]


def test_a_folder_that_is_a_checkpoint_with_those_of_its_training_in_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for step in (50, 100):
        save(out / f"checkpoint-{step}" / "pytorch_model.bin", weights(step))
    save(out / "pytorch_model.bin", weights(100))
    files = found(out)
    assert numbers(files) == {"checkpoint-50": 50, "checkpoint-100": 100}
    assert files.unit == "step"
    assert any("out (step 100)" in note for note in files.notes)


def test_a_link_is_the_file_that_it_leads_to(tmp_path: Path) -> None:
    for epoch in (1, 2):
        save(tmp_path / f"epoch={epoch}.ckpt", weights(epoch))
    (tmp_path / "best.ckpt").symlink_to("epoch=1.ckpt")
    (tmp_path / "last.ckpt").symlink_to(tmp_path / "epoch=2.ckpt")
    assert numbers(found(tmp_path)) == {"epoch=1.ckpt": 1, "epoch=2.ckpt": 2}


def test_a_link_that_leads_out_is_followed_where_it_is_meant(tmp_path: Path) -> None:
    elsewhere = save(tmp_path / "other" / "epoch_9.pt", weights(9))
    for folder in ("some", "all"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "epoch_9.pt").symlink_to(elsewhere)
    save(tmp_path / "some" / "epoch_1.pt", weights(1))
    files = found(tmp_path / "some")
    assert numbers(files) == {"epoch_1.pt": 1}
    assert any("lead out of the folder" in note and "epoch_9.pt" in note for note in files.notes)
    assert len(find_checkpoints([str(tmp_path / "some" / "*.pt")], Search()).entries) == 2
    assert numbers(found(tmp_path / "all")) == {"epoch_9.pt": 9}


def test_a_pattern_excludes_and_one_that_does_not_is_said(tmp_path: Path) -> None:
    for name in ("model_1.pt", "model_2.pt", "ema_1.pt"):
        save(tmp_path / name, weights())
    files = found(tmp_path, exclude=["ema_*", "*.onnx"])
    assert numbers(files) == {"model_1.pt": 1, "model_2.pt": 2}
    assert "--exclude '*.onnx': matches nothing" in files.notes


def test_a_run_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "epoch_1.pt").write_bytes(b"PK\x03\x04")
    with pytest.raises(CheckpointError, match=r"epoch_1\.pt"):
        found(tmp_path)


def test_nothing_but_an_optimizer(tmp_path: Path) -> None:
    save(tmp_path / "optimizer_1.pt", adam())
    with pytest.raises(CheckpointError, match="holds optimizer state, not a state_dict"):
        found(tmp_path)
