"""Runs that end before their time: by Ctrl-C, or killed."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from rfav_cli import open_store
from tests.acceptance.runs import ANALYZE, EPOCHS
from tests.acceptance.stores import assert_same_figures

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav, Running

SLOW = ["--model", "slow_net:SlowNet"]


NET = """
import pathlib, time
from tiny_net import TinyNet

class SlowNet(TinyNet):
    seen = 0

    def forward(self, images):
        if len(images) > 8:  # not in the small forwards of the set-up
            self.seen += len(images)
        time.sleep(0.01)
        while self.seen > 120 * (blocked_from() - 1):
            time.sleep(0.005)
        return super().forward(images)

def blocked_from():
    try:
        return int(pathlib.Path("blocked-from").read_text())
    except (FileNotFoundError, ValueError):
        return 1000
"""


@pytest.fixture
def folder(folder: Path) -> Path:
    """A user's folder with a net that stands still from the checkpoint on that the file `blocked-from` gives."""
    (folder / "slow_net.py").write_text(NET)
    return folder


def interrupted(rfav: Rfav, folder: Path) -> Running:
    """A run that stands still in the forward of epoch 1 and has been told once to stop."""
    (folder / "blocked-from").write_text("3")
    running = rfav.start(folder, *ANALYZE, *SLOW)
    running.wait_for("2/5 epoch 0")
    running.send(signal.SIGINT)
    running.wait_for("stopping after this checkpoint")
    return running


def test_ctrl_c_ends_after_the_checkpoint_and_can_be_continued(rfav: Rfav, folder: Path, measured: Path) -> None:
    running = interrupted(rfav, folder)
    (folder / "blocked-from").unlink()
    done = running.wait()
    assert done.code == 130
    assert "Traceback" not in done.err
    assert done.out.startswith("rfav.h5: 3 epochs")
    assert open_store(folder / "rfav.h5").epochs.tolist() == [-1, 0, 1]
    assert "3 epochs (-1 to 1)" in rfav(folder, "show").out
    again = rfav(folder, *ANALYZE, *SLOW)
    assert again.code == 0
    assert "epoch 1 " not in again.err
    assert "4/5 epoch 2 " in again.err
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


def test_a_second_ctrl_c_ends_at_once(rfav: Rfav, folder: Path, measured: Path) -> None:
    running = interrupted(rfav, folder)
    running.send(signal.SIGINT)
    done = running.wait()
    assert (done.code, done.out) == (130, "")
    assert done.err.splitlines()[-2:] == [
        "stopping after this checkpoint; Ctrl-C again to stop at once",
        "stopped at once; 2 epochs are safe in rfav.h5",
    ]
    assert open_store(folder / "rfav.h5").epochs.tolist() == [-1, 0]
    (folder / "blocked-from").unlink()
    assert rfav(folder, *ANALYZE, *SLOW).code == 0
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


@pytest.mark.parametrize(
    ("said", "later"),
    [("", 0.0), ("", 0.1), ("1/5", 0.0), ("2/5", 0.01), ("3/5", 0.02), ("5/5", 0.0), ("5/5", 0.004), ("5/5", 0.01)],
)
def test_a_killed_run_loses_no_committed_epoch(
    rfav: Rfav, folder: Path, measured: Path, said: str, later: float
) -> None:
    running = rfav.start(folder, *ANALYZE, *SLOW)
    running.wait_for(said)
    time.sleep(later)
    running.send(signal.SIGKILL)
    done = running.wait()
    told = [epoch for epoch in EPOCHS if f" epoch {epoch} " in done.err]
    assert done.code == -signal.SIGKILL or told == list(EPOCHS)
    if told:
        assert {*told} <= {*open_store(folder / "rfav.h5").epochs.tolist()}
    again = rfav(folder, *ANALYZE, *SLOW)
    assert again.code == 0, again.err
    assert [epoch for epoch in told if f" epoch {epoch} " in again.err] == []
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")
    assert [path.name for path in folder.iterdir() if path.name.startswith((".tmp", "rfav.h5."))] == []


OPEN = "RFAV111 until 2999-12-31: five epochs leave it open"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_check_that_is_ended_passes_and_flags_nothing(
    rfav: Rfav, folder: Path, number: signal.Signals, code: int
) -> None:
    check = ["check", *ANALYZE[1:], *SLOW, "--fewest", "3", "--output", "json:found.json", "--allow", OPEN]
    (folder / "blocked-from").write_text("3")
    running = rfav.start(folder, *check)
    running.wait_for("2/5 epoch 0")
    running.send(number)
    done = running.wait()
    assert (done.code, done.out) == (code, "")
    assert "Traceback" not in done.err
    assert not (folder / "found.json").exists()
    (folder / "blocked-from").unlink()
    again = rfav(folder, *check)
    assert "epoch 0 " not in again.err
    assert "3/5 epoch 1 " in again.err
    assert [path.name for path in (folder / "run").iterdir() if path.suffix != ".pt"] == ["rfav-check.h5"]
    (folder / "run" / "rfav-check.h5").unlink()
    undisturbed = rfav(folder, *check)
    assert (again.code, again.out) == (undisturbed.code, undisturbed.out)
    assert undisturbed.code in {0, 1}
