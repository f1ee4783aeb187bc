"""Which files of a training are whole, and when they are read."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from rfav_cli import isolation
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.digests import digest_of
from rfav_cli.checkpoints.find import Search
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.checkpoints.poll import Poll, _copy_file
from rfav_cli.errors import CheckpointError, RunError
from tests.checkpoints.formats.files import state, write_folder

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.records import Payload

PATIENCE = 10.0


def poll(place, pattern=None, **search):
    return Poll(str(place), Search(pattern, **search), PATIENCE, ReadOptions())


def save(path, **more):
    torch.save({"model": {"weight": torch.arange(200.0)}, **more}, path)


def take(looked, path):
    with looked.opened(path) as polled:
        looked.finish(path)
        return polled


def names(paths):
    return [path.name for path in paths]


def test_a_file_is_read_when_it_was_the_same_at_two_looks(tmp_path):
    save(tmp_path / "epoch_3.pt")
    looked = poll(tmp_path)
    assert looked.look(0) == []
    (path,) = looked.look(1)
    polled = take(looked, path)
    assert (polled.path, polled.epoch) == (path, 3)
    assert polled.payload.path == path
    assert looked.look(2) == []
    assert looked.changed == 0


def test_a_growing_file_is_not_touched_until_it_is_whole(tmp_path: Path):
    save(tmp_path / "whole.bin")
    content = (tmp_path / "whole.bin").read_bytes()
    (tmp_path / "whole.bin").unlink()
    looked, file = poll(tmp_path), tmp_path / "epoch_0.pt"
    for now in range(8):
        file.write_bytes(content[: len(content) * (now + 1) // 8])
        assert looked.look(now) == []
    assert looked.changed == 7
    assert looked.look(8) == [file]
    assert take(looked, file).epoch == 0


def test_a_cut_off_file_is_read_again_ever_more_rarely_then_given_up(tmp_path):
    save(tmp_path / "epoch_0.pt")
    file = tmp_path / "epoch_0.pt"
    content = file.read_bytes()
    file.write_bytes(content[:-300])
    looked, attempts = poll(tmp_path), []
    error = None
    for now in range(30):
        for path in looked.look(now):
            attempts.append(now)
            with pytest.raises(CheckpointError, match=r"/epoch_0\.pt: .*cut off") as raised, looked.opened(path):
                pass
            try:
                assert looked.fail(path, raised.value, now) == (len(attempts) == 1)
            except CheckpointError as given_up:
                error = given_up
    assert error is raised.value
    assert attempts == [1, 3, 7, 11]
    assert looked.unreadable() == []
    file.write_bytes(content)
    assert looked.look(31) == []
    assert looked.look(32) == [file]


def test_what_would_be_read_again_is_known(tmp_path):
    (tmp_path / "epoch_0.pt").write_bytes(b"")
    looked = poll(tmp_path)
    looked.look(0)
    (path,) = looked.look(1)
    with pytest.raises(CheckpointError, match="empty") as raised, looked.opened(path):
        pass
    looked.fail(path, raised.value, 1)
    assert looked.unreadable() == [(path, raised.value)]
    path.unlink()
    assert looked.look(2) == []
    assert looked.unreadable() == []


def test_a_file_that_changes_while_it_is_copied_is_not_read(tmp_path):
    save(tmp_path / "epoch_0.pt")
    looked = poll(tmp_path)
    looked.look(0)
    (path,) = looked.look(1)
    save(path, other=1)
    with looked.opened(path) as polled:
        assert polled is None
    assert looked.look(2) == []
    assert looked.look(3) == [path]


def test_what_was_read_stays_when_the_training_writes_over_it_and_removes_it(tmp_path):
    save(tmp_path / "epoch_0.pt")
    looked = poll(tmp_path)
    looked.look(0)
    (path,) = looked.look(1)
    with looked.opened(path) as polled:
        path.write_bytes(b"")  # in place: who had mapped it would be killed
        path.unlink()
        (candidate,) = polled.payload.content
        assert candidate.weights["weight"].sum() == torch.arange(200.0).sum()


def test_a_file_that_is_replaced_is_read_again_and_its_epoch_is_what_it_holds(tmp_path):
    looked, now = poll(tmp_path), 0
    for epoch in (4, 5):
        save(tmp_path / "new", epoch=epoch)
        (tmp_path / "new").replace(tmp_path / "last.pt")
        assert looked.look(now) == []
        (path,) = looked.look(now + 1)
        assert take(looked, path).epoch == epoch
        now += 2


def test_a_folder_that_is_not_there_yet(tmp_path):
    looked = poll(tmp_path / "run")
    assert looked.look(0) == []
    (tmp_path / "run").mkdir()
    save(tmp_path / "run" / "epoch_0.pt")
    looked.look(1)
    assert names(looked.look(2)) == ["epoch_0.pt"]
    shutil.rmtree(tmp_path / "run")
    assert looked.look(3) == []


def test_other_files_are_left_alone(tmp_path):
    for name in (".hidden.pt", "epoch_0.pt.tmp", "epoch_0.pt.part", "model_1.pt"):
        save(tmp_path / name)
    (tmp_path / "log.txt").write_text("loss 1.0\n")
    (tmp_path / "folder.pt").mkdir()
    looked = poll(tmp_path)
    looked.look(0)
    assert names(looked.look(1)) == ["model_1.pt"]


def test_a_file_without_an_ending_is_one_when_it_looks_like_one(tmp_path):
    file = tmp_path / "checkpoint-7"
    file.write_bytes(b"")
    looked = poll(tmp_path)
    assert looked.look(0) == looked.look(1) == []
    save(file)
    looked.look(2)
    assert looked.look(3) == [file]
    assert take(looked, file).epoch == 7


def test_in_the_order_of_their_epochs(tmp_path):
    for name in ("epoch_10.pt", "epoch_9.pt", "last.pt", "epoch_-1.pt"):
        save(tmp_path / name)
    looked = poll(tmp_path)
    looked.look(0)
    assert names(looked.look(1)) == ["epoch_-1.pt", "epoch_9.pt", "epoch_10.pt", "last.pt"]


def test_the_pattern_says_which_files_and_which_epochs(tmp_path):
    for name in ("net_1_of_9.pt", "net_2_of_9.pt", "opt_1.pt"):
        save(tmp_path / name, epoch=77)
    looked = poll(tmp_path, "net_{epoch}_*.pt")
    looked.look(0)
    assert [take(looked, path).epoch for path in looked.look(1)] == [1, 2]


def test_the_number_of_a_folder_counts_where_it_is_named_after_an_epoch(tmp_path):
    for epoch in (1, 2):
        (tmp_path / f"checkpoint-{epoch}").mkdir()
        save(tmp_path / f"checkpoint-{epoch}" / "model.pt")
    for place in (tmp_path, tmp_path / "checkpoint-*" / "model.pt"):
        looked = poll(place)
        looked.look(0)
        assert [take(looked, path).epoch for path in looked.look(1)] == [1, 2]
    (tmp_path / "exp3").mkdir()
    save(tmp_path / "exp3" / "model.pt")
    single = poll(tmp_path / "exp3")
    single.look(0)
    assert [take(single, path).epoch for path in single.look(1)] == [None]


def test_the_run_below_a_root_is_watched_as_it_comes(tmp_path):
    looked = poll(tmp_path)
    (tmp_path / "data").mkdir()
    save(tmp_path / "data" / "train.pt")
    looked.look(0)
    for epoch in (0, 1):
        folder = tmp_path / "lightning_logs" / "version_0" / "checkpoints"
        folder.mkdir(parents=True, exist_ok=True)
        save(folder / f"epoch={epoch}-step={epoch}5.ckpt", epoch=epoch)
    looked.look(1)
    assert names(looked.look(2)) == ["epoch=0-step=05.ckpt", "epoch=1-step=15.ckpt"]
    other = tmp_path / "lightning_logs" / "version_1" / "checkpoints"
    other.mkdir(parents=True)
    save(other / "epoch=0.ckpt")
    with pytest.raises(RunError, match="2 runs lie below it"):
        looked.look(3)


def test_what_holds_no_weights_is_passed_over_and_what_is_excluded_is_not_looked_at(tmp_path):
    weight = torch.nn.Parameter(torch.ones(2))
    torch.save(torch.optim.SGD([weight]).state_dict(), tmp_path / "optimizer_1.pt")
    for name in ("model_1.pt", "ema_1.pt"):
        save(tmp_path / name)
    looked = poll(tmp_path, exclude=["ema_*"])
    looked.look(0)
    optimizer, model = looked.look(1)
    assert looked.other_names(model)
    assert take(looked, model).epoch == 1
    assert take(looked, optimizer) is None
    assert looked.passed_over == ["optimizer_1.pt (optimizer state)"]
    assert looked.look(2) == []


def test_what_is_named_after_its_purpose_comes_last_and_has_the_epoch_that_it_stores(tmp_path):
    save(tmp_path / "epoch_2.pt")
    save(tmp_path / "best_acc_91.pt", epoch=1)
    save(tmp_path / "last.pt", epoch=-1)
    looked = poll(tmp_path)
    looked.look(0)
    found = [take(looked, path) for path in looked.look(1)]
    assert [(polled.path.name, polled.epoch) for polled in found] == [
        ("epoch_2.pt", 2),
        ("best_acc_91.pt", 1),
        ("last.pt", None),
    ]


@pytest.mark.parametrize(
    ("name", "search", "epoch", "unit"),
    [
        ("step_500.pt", {}, 500, "step"),
        ("step_500.pt", {"unit": "epoch"}, 500, "epoch"),
        ("epoch=3-step=500.ckpt", {}, 3, "epoch"),
        ("epoch=3-step=500.ckpt", {"unit": "step"}, 500, "step"),
        ("net_500.pt", {"pattern": "net_{step}.pt"}, 500, "step"),
    ],
)
def test_steps_are_counted_as_find_does(tmp_path, name, search, epoch, unit):
    save(tmp_path / name)
    looked = poll(tmp_path, **search)
    looked.look(0)
    polled = take(looked, *looked.look(1))
    assert (polled.epoch, polled.unit) == (epoch, unit)


def test_an_epoch_that_was_never_counted(tmp_path):
    for epoch in (0, 1):
        save(tmp_path / f"model_{epoch}.pt", epoch=0)
    looked = poll(tmp_path)
    looked.look(0)
    assert [take(looked, path).epoch for path in looked.look(1)] == [0, 1]
    other = tmp_path / "other"
    other.mkdir()
    for epoch in (1, 2):
        save(other / f"model_{epoch}.pt", epoch=0)
    looked = poll(other)
    looked.look(0)
    one, two = looked.look(1)
    assert take(looked, one).epoch == 0
    with pytest.raises(RunError, match=r"model_1\.pt: was taken for epoch 0") as raised, looked.opened(two):
        pass
    assert "--epochs 'model_{epoch}.pt'" in raised.value.remedy


def test_names_that_say_later_that_an_epoch_was_wrong(tmp_path):
    save(tmp_path / "net_0_lr_1.pt")
    looked = poll(tmp_path)
    looked.look(0)
    (path,) = looked.look(1)
    assert take(looked, path).epoch == 1
    save(tmp_path / "net_1_lr_1.pt")
    with pytest.raises(RunError, match=r"taken for epoch 1.*it is epoch 0") as raised:
        looked.look(2)
    assert "--epochs" in raised.value.remedy


def test_a_file_is_no_folder(tmp_path):
    save(tmp_path / "epoch_0.pt")
    with pytest.raises(RunError, match="is a file"):
        poll(tmp_path / "epoch_0.pt")


def test_a_glob_that_cannot_be_one(tmp_path):
    with pytest.raises(RunError, match=r"\*\*"):
        poll(tmp_path / "a**b" / "*.pt")


def test_a_folder_that_is_a_checkpoint_is_read_when_its_weights_are_whole(tmp_path):
    looked, folder = poll(tmp_path), tmp_path / "checkpoint-50"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert looked.look(0) == looked.look(1) == []
    write_folder(tmp_path / "written", state())
    shutil.copy(tmp_path / "written" / "model.safetensors", folder)
    shutil.rmtree(tmp_path / "written")
    assert looked.look(2) == []
    assert looked.look(3) == [folder]
    (folder / "optimizer.pt").write_bytes(b"moments")
    polled = take(looked, folder)
    assert (polled.path, polled.epoch, polled.sha256) == (folder, 50, digest_of(folder))
    assert polled.payload.content[0].weights["0.weight"].shape == state()["0.weight"].shape
    assert looked.look(4) == []
    (folder / "trainer_state.json").write_text('{"epoch": 1.0}')
    assert looked.look(5) == looked.look(6) == []
    os.utime(folder / "model.safetensors", (9, 9))
    assert looked.look(7) == []
    assert looked.look(8) == [folder]
    assert take(looked, folder).epoch == 1


def test_the_parts_of_weights_are_waited_for(tmp_path):
    looked, folder = poll(tmp_path), tmp_path / "checkpoint-50"
    folder.mkdir()
    for part, name in enumerate(("0.weight", "0.bias")):
        save_file({name: state()[name]}, folder / f"model-0000{part + 1}-of-00002.safetensors")
        assert looked.look(part) == []
        ready = looked.look(part + 0.5)
        assert ready == [folder]
        if part == 0:
            with pytest.raises(CheckpointError, match="1 of the 2 files"):
                take(looked, folder)
    assert take(looked, folder).payload.content[0].weights.keys() == {"0.weight", "0.bias"}


def test_the_files_of_a_folder_that_is_a_checkpoint_are_none_of_their_own(tmp_path):
    write_folder(tmp_path / "checkpoint-1", state())
    looked = poll(tmp_path / "**")
    looked.look(0)
    assert names(looked.look(1)) == ["checkpoint-1"]


def test_a_copy_has_the_holes_of_the_file(tmp_path: Path) -> None:
    path, copy = tmp_path / "epoch_1.pt", tmp_path / "copy.pt"
    with path.open("wb") as file:
        for place in (0, 50 << 20, 90 << 20):
            file.seek(place)
            file.write(os.urandom(5000))
        file.truncate(100 << 20)
    _copy_file(path, copy)
    assert copy.stat().st_size == 100 << 20
    assert digest_of(copy) == digest_of(path)
    if path.stat().st_blocks < 10_000:  # a file system that knows holes
        assert copy.stat().st_blocks < 10_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are POSIX")
def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "epoch_1.pt")
    looked = poll(tmp_path)
    assert (looked.look(0), looked.look(1)) == ([], [])
    with pytest.raises(RunError, match="is a file"):
        poll(tmp_path / "epoch_1.pt")


def test_a_copy_of_a_program_has_the_name_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(state(), tmp_path / "epoch_1.pt")
    poll = Poll(str(tmp_path), Search(), 10, ReadOptions())
    poll.look(0)
    names: list[str] = []
    read = formats.read

    def reading(path: Path, options: ReadOptions) -> Payload:
        names.append(isolation._name(path))
        return read(path, options)

    monkeypatch.setattr(formats, "read", reading)
    (path,) = poll.look(1)
    with poll.opened(path) as polled:
        assert polled is not None
    assert names == [str(path)]
