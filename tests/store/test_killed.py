"""Killed at any moment, a writer leaves every epoch that it had committed."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import StoreWriter, open_store
from tests.store.example import assert_same, leftovers, make_run, measure, measure_little

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS, EPOCHS = 50, 20

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")


class Child:
    """The program `tests.store.killed`, asked line by line."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.store.killed"]
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(self, path: Path, kill_after: float = -1) -> tuple[int, list[int]]:
        """How the writer ended, and which epochs it was told are safe."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{path} {EPOCHS} {kill_after}\n")
        self.process.stdin.flush()
        status, *epochs = self.process.stdout.readline().split()
        return int(status), list(map(int, epochs))


@pytest.fixture
def child() -> Iterator[Child]:
    started = Child()
    yield started
    started.process.communicate(timeout=30)


def test_fifty_kills_lose_nothing(tmp_path: Path, child: Child) -> None:
    undisturbed = tmp_path / "undisturbed" / "rfav.h5"
    undisturbed.parent.mkdir()
    child.write(undisturbed.with_name("warm.h5"))
    started = time.perf_counter()
    assert child.write(undisturbed) == (0, list(range(EPOCHS)))
    duration = time.perf_counter() - started
    reference = open_store(undisturbed)

    path = tmp_path / "disturbed" / "rfav.h5"
    path.parent.mkdir()
    moments = random.Random(2002)
    kills, finished = 0, 0
    while kills < KILLS:
        status, acknowledged = child.write(path, moments.uniform(0, duration))
        assert status in (0, -9)
        kills += status == -9
        for file in path.parent.rglob("*.h5"):
            with h5py.File(file, locking=False):
                pass
        if acknowledged:
            history = open_store(path)
            assert set(acknowledged) <= set(history.epochs.tolist())
            row = len(history) - 1
            last = measure_little(int(history.epochs[row]))
            np.testing.assert_array_equal(history.maps("conv1")[row], last.columns["entropy/map/0"])
        if status == 0 or kills == KILLS:
            assert child.write(path)[0] == 0
            assert_same(open_store(path), reference)
            assert [file.name for file in path.parent.rglob("*")] == ["rfav.h5"]
            finished += 1
            shutil.rmtree(path.parent)
            path.parent.mkdir()
    assert finished >= 1


def test_what_a_killed_writer_leaves_is_removed_and_what_a_live_one_holds_is_not(tmp_path: Path) -> None:
    path = tmp_path / "rfav.h5"
    writer = StoreWriter.open(path, make_run())
    left = [tmp_path / ".tmp-rfav-0123", tmp_path / "rfav.h5.d" / ".tmp-rfav-4567"]
    other = tmp_path / ".tmp-other.h5-89ab"
    for file in (*left, other):
        file.write_bytes(b"half")
    hold = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, 2); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(left[1])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout
    holder.stdout.readline()
    StoreWriter.open(path, make_run())
    assert leftovers(tmp_path) == sorted(map(str, (left[1], other)))
    holder.communicate("\n", timeout=30)
    writer.append(measure(0))
    StoreWriter.open(path, make_run())
    assert leftovers(tmp_path) == [str(other)]


def test_a_folder_whose_run_was_lost_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rfav.h5"
    StoreWriter.open(path, make_run()).append(measure(0))
    (tmp_path / "rfav.h5.d" / "run.h5").unlink()
    with pytest.raises(StoreError, match=r"holds epochs, but run.h5 is missing"):
        open_store(path)
