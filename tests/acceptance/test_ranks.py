"""Several ranks that share a training or the checkpoints of a run, as torchrun starts them."""

from __future__ import annotations

import json
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.distributed import TCPStore

from rfav_cli import open_store
from tests.acceptance.runs import ANALYZE, draw
from tests.acceptance.stores import assert_same_figures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.acceptance.commands import Done, Rfav, Running

TRAIN = ["train", "--data", "data.npz", "--out", "new", "--epochs", "2", "--learning-rate", "0.05"]
TRAIN += ["--momentum", "0.9", "--augment", "flip,crop", "--workers", "0"]
PLAIN = ["--model", "tiny_net:make_net"]
BLOCKING = ["--model", "blocking.py:Blocking", "--recipe", "recipe.toml", "--batch-size", "20"]
RECIPE = 'schema = 1\n[[layer]]\nname = "conv2"\nlambda = 0.01\n[[layer]]\nname = "conv1"\nkappa = 0.1\n'
NET = """
import os, pathlib, time, torch
from tiny_net import TinyNet

class Blocking(TinyNet):
    seen = 0

    def forward(self, images):
        self.seen += self.training
        while self.seen == 8 and pathlib.Path("block-" + os.environ.get("RANK", "0")).exists():
            pathlib.Path("waiting").touch()
            time.sleep(0.005)
        if self.seen == 8 and pathlib.Path("nan-" + os.environ.get("RANK", "0")).exists():
            images = images * torch.nan
        return super().forward(torch.nn.functional.dropout(images, 0.1, self.training))
"""
"""Waits, or breaks down, in the eighth step of the process that a file names; six steps are an epoch."""
SLOW = """
import os, pathlib, time
from tiny_net import TinyNet

class Slow(TinyNet):
    seen = 0

    def forward(self, images):
        self.seen += len(images) > 8
        while self.seen > 2 and pathlib.Path("block-" + os.environ.get("RANK", "0")).exists():
            pathlib.Path("waiting").touch()
            time.sleep(0.005)
        return super().forward(images)
"""
"""Waits in its second checkpoint, each of which is two forwards, in the process that a file names."""

IDLE = """
import torch
from tiny_net import TinyNet

class Idle(TinyNet):
    def __init__(self):
        super().__init__()
        self.spare = torch.nn.Linear(3, 4)
"""
"""Has a layer that no forward reaches."""


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A user's folder with a net, a run of it, training data, held-out samples and a recipe."""
    folder = shutil.copytree(finished, tmp_path / "project")
    pictures, labels = draw(125, seed=3)
    np.savez(folder / "data.npz", images=pictures, labels=labels)
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "blocking.py").write_text(NET)
    (folder / "slow.py").write_text(SLOW)
    (folder / "idle.py").write_text(IDLE)
    return folder


class Launcher:
    """Starts a command in several processes with what torchrun tells them, and keeps their key-value store."""

    def __init__(self, rfav: Rfav, world: int) -> None:
        self._rfav, self._world = rfav, world
        self._stores: list[TCPStore] = []

    def start(self, folder: Path, *arguments: str) -> list[Running]:
        return self.start_each(folder, [arguments] * self._world)

    def start_each(self, folder: Path, arguments: Sequence[Sequence[str]]) -> list[Running]:
        store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
        self._stores.append(store)
        shared = {
            "TORCHELASTIC_RUN_ID": "none",
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(store.port),
            "WORLD_SIZE": str(self._world),
            "LOCAL_WORLD_SIZE": str(self._world),
        }
        each = [shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(self._world)]
        return [
            self._rfav.start(folder, *own, environment=environment)
            for own, environment in zip(arguments, each, strict=True)
        ]

    def __call__(self, folder: Path, *arguments: str) -> list[Done]:
        return [running.wait() for running in self.start(folder, *arguments)]


@pytest.fixture
def two(rfav: Rfav) -> Launcher:
    return Launcher(rfav, 2)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) | {"seconds": 0} for line in (folder / "log.jsonl").read_text().splitlines()]


def weights(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    return {path.name: torch.load(path, weights_only=True)["model"] for path in sorted(folder.glob("epoch_*.pt"))}


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def errors(done: list[Done]) -> list[str]:
    """All lines of errors; C++ that the fork server has loaded warns as it likes."""
    lines = [line for each in done for line in each.err.splitlines()]
    return [line for line in lines if line.startswith("error: ")]


# Training


@pytest.mark.parametrize(
    ("world", "options"),
    [
        (2, ["--batch-size", "21"]),  # unequal shares
        (2, ["--batch-size", "16", "--recipe", "recipe.toml"]),  # 113 samples: the last batch has 17
        (3, ["--batch-size", "22", "--recipe", "recipe.toml"]),  # the last has 3, too few for three
        (2, ["--batch-size", "32", "--model", "idle.py:Idle", "--weight-decay", "0.1"]),  # a layer without gradients
    ],
)
def test_the_loss_is_that_of_one_process(rfav: Rfav, folder: Path, world: int, options: list[str]) -> None:
    done = Launcher(rfav, world)(folder, *TRAIN, *PLAIN, *options, "--probe", "probe.npz")
    assert [each.code for each in done] == [0] * world, [each.err for each in done]
    assert f"note: {world} ranks share each batch" in done[0].err
    assert done[0].out.startswith("new: 2 epochs, validation loss")
    assert {each.out for each in done[1:]} == {""}
    assert "epoch" not in "".join(line for each in done[1:] for line in each.err.splitlines() if "[W" not in line)
    alone = rfav(folder, *TRAIN, *PLAIN, *options, "--out", "alone")
    assert alone.code == 0, alone.err
    for found, expected in zip(rows(folder / "new"), rows(folder / "alone"), strict=True):
        assert found.pop("penalties", {}) == pytest.approx(expected.pop("penalties", {}), abs=1e-5)
        assert found == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(weights(folder / "new"), weights(folder / "alone"), rtol=1e-4, atol=1e-5)
    assert open_store(folder / "new" / "rfav.h5").epochs.tolist() == [-1, 0, 1]


def test_batch_normalisation_is_said_to_be_per_process(two: Launcher, folder: Path) -> None:
    net = "import torch\nfrom tiny_net import TinyNet\nclass N(TinyNet):\n    def __init__(self):\n"
    net += "        super().__init__()\n        self.norm = torch.nn.BatchNorm2d(3)\n"
    net += "    def forward(self, x):\n        return super().forward(self.norm(x))\n"
    (folder / "normed.py").write_text(net)
    done = two(folder, *TRAIN, "--model", "normed.py:N", "--batch-size", "22")
    assert [each.code for each in done] == [0, 0], [each.err for each in done]
    assert "note: batch normalisation takes its statistics from the share of each rank" in done[0].err


def test_ctrl_c_in_one_process_ends_all_and_the_run_goes_on_to_the_same_bits(two: Launcher, folder: Path) -> None:
    whole = two(folder, *TRAIN, *BLOCKING, "--out", "whole")
    assert [each.code for each in whole] == [0, 0], whole[0].err
    (folder / "block-1").touch()
    running = two.start(folder, *TRAIN, *BLOCKING)
    wait_until((folder / "waiting").exists)
    for each in running:
        each.send(signal.SIGTERM)
    # The first waits in torch for the second's gradients, and says it when they come.
    (folder / "block-1").unlink()
    done = [each.wait() for each in running]
    assert [each.code for each in done] == [130, 130], [each.err for each in done]
    assert "stopping after this step" in done[0].err
    assert done[0].out.endswith("; --resume goes on\n")
    again = two(folder, *TRAIN, *BLOCKING, "--resume")
    assert "note: going on at epoch 1, step 3" in again[0].err
    assert rows(folder / "new") == rows(folder / "whole")
    torch.testing.assert_close(weights(folder / "new"), weights(folder / "whole"), rtol=0, atol=0)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_killed_process_ends_the_run_with_what_to_do(two: Launcher, folder: Path, lost: int) -> None:
    (folder / f"block-{lost}").touch()
    running = two.start(folder, *TRAIN, *BLOCKING)
    wait_until((folder / "waiting").exists)
    running[lost].send(signal.SIGKILL)
    done = [each.wait() for each in running]
    assert (done[lost].code, done[1 - lost].code) == (-signal.SIGKILL, 2)
    assert errors(done) == ["error: one of the 2 ranks has ended before its time"]
    assert done[1 - lost].err.endswith("the same command with --resume goes on.\n")
    assert [*weights(folder / "new")] == ["epoch_-1.pt", "epoch_0.pt"]
    (folder / f"block-{lost}").unlink()
    again = two(folder, *TRAIN, *BLOCKING, "--resume")
    assert [each.code for each in again] == [0, 0], [each.err for each in again]
    assert [row["epoch"] for row in rows(folder / "new")] == [-1, 0, 1]


@pytest.mark.parametrize("broken", [0, 1])
def test_a_loss_that_is_not_finite_in_one_process_ends_all(two: Launcher, folder: Path, broken: int) -> None:
    (folder / f"nan-{broken}").touch()
    done = two(folder, *TRAIN, *BLOCKING)
    assert [each.code for each in done] == [2, 2]
    assert len(errors(done)) == 1
    assert errors(done)[0].startswith("error: epoch 1, step 2: the loss is nan")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--recipe", "none.toml"], "none.toml"),
        (["--batch-size", "1"], "--batch-size 1: is shared by 2 ranks"),
        (["--device", "mps"], "--device mps"),
        (["--epochs", "none"], "--epochs"),
    ],
)
def test_bad_input_is_told_once(two: Launcher, folder: Path, options: list[str], said: str) -> None:
    done = two(folder, *TRAIN, *PLAIN, *options)
    assert [each.code for each in done] == [2, 2]
    assert len(errors(done)) == 1
    assert said in errors(done)[0]


def test_processes_with_other_data_do_not_train_together(two: Launcher, folder: Path) -> None:
    pictures, labels = draw(125, seed=9)
    np.savez(folder / "other.npz", images=pictures, labels=labels)
    first, second = two.start_each(folder, [[*TRAIN, *PLAIN], [*TRAIN, *PLAIN, "--data", "other.npz"]])
    done = [first.wait(), second.wait()]
    assert [each.code for each in done] == [2, 2]
    assert len(errors(done)) == 1
    assert errors(done)[0].startswith("error: rank 1 differs from rank 0 (rank 0 / it): data: ")


def test_a_second_training_in_a_folder_is_refused(rfav: Rfav, folder: Path) -> None:
    (folder / "block-0").touch()
    running = rfav.start(folder, *TRAIN, *BLOCKING)
    wait_until((folder / "waiting").exists)
    before = {path: path.read_bytes() for path in (folder / "new").rglob("*") if path.is_file()}
    for more in ([], ["--resume"]):
        second = rfav(folder, *TRAIN, *BLOCKING, *more)
        assert second.code == 2
        assert "error: new: another process trains there now\n" in second.err
    assert {path: path.read_bytes() for path in (folder / "new").rglob("*") if path.is_file()} == before
    running.send(signal.SIGKILL)
    running.wait()
    (folder / "block-0").unlink()
    assert rfav(folder, *TRAIN, *BLOCKING, "--resume").code == 0


# Analysis


def test_checkpoints_are_shared_into_one_store(two: Launcher, folder: Path, measured: Path) -> None:
    done = two(folder, *ANALYZE)
    assert [each.code for each in done] == [0, 0], [each.err for each in done]
    assert [each.out for each in done] == ["rfav.h5: 5 epochs, 3 layers, 120 samples\n", ""]
    told = [[line.split()[:3] for line in each.err.splitlines() if "/5 epoch" in line] for each in done]
    assert told[0] == [["1/5", "epoch", "-1"], ["3/5", "epoch", "1"], ["5/5", "epoch", "3"]]
    assert told[1] == [["2/5", "epoch", "0"], ["4/5", "epoch", "2"]]
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")
    assert not (folder / "rfav.h5.d").exists()
    fresh = two(folder, *ANALYZE, "--fresh")
    assert [each.code for each in fresh] == [0, 0], [each.err for each in fresh]
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


@pytest.mark.parametrize("lost", [0, 1])
def test_what_a_killed_process_leaves_is_finished_by_one(
    two: Launcher, rfav: Rfav, folder: Path, measured: Path, lost: int
) -> None:
    (folder / f"block-{lost}").touch()
    slow = [*ANALYZE, "--model", "slow.py:Slow"]
    running = two.start(folder, *slow)
    wait_until((folder / "waiting").exists)
    running[lost].send(signal.SIGKILL)
    done = [each.wait() for each in running]
    assert (done[lost].code, done[1 - lost].code) == (-signal.SIGKILL, 2)
    assert errors(done) == ["error: one of the 2 ranks has ended before its time"]
    assert done[1 - lost].err.endswith("the same command goes on, with torchrun or without.\n")
    safe = {-1, 0, 1, 2, 3} - ({1, 3} if lost == 0 else {2})
    assert {*open_store(folder / "rfav.h5").epochs.tolist()} == safe
    (folder / f"block-{lost}").unlink()
    again = rfav(folder, *slow)
    assert again.code == 0, again.err
    assert [epoch for epoch in safe if f" epoch {epoch} " in again.err] == []
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


def test_a_bad_checkpoint_ends_all_and_is_told_once(two: Launcher, folder: Path) -> None:
    (folder / "run" / "epoch_000.pt").write_bytes(b"none")
    done = two(folder, *ANALYZE)
    assert [each.code for each in done] == [2, 2]
    assert len(errors(done)) == 1
    assert "epoch_000.pt" in errors(done)[0]
