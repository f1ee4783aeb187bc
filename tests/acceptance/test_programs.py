"""Programs that bring their code, in a child process: few tests, since each child takes seconds to start."""

from __future__ import annotations

import contextlib
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from rfav_cli import open_store
from tests.acceptance.runs import SIDE
from tests.cli.test_supervisor import is_there

if TYPE_CHECKING:
    from tests.acceptance.commands import Rfav, Running

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")

SHORT = ["--time-limit", "1"]
ANALYZE = ["analyze", "programs", "--probe", "probe.npz"]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4 * (SIDE - 2) ** 2, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.conv(images).relu().flatten(1))


class Endless(Net):
    def forward(self, images: Tensor) -> Tensor:
        turn = 0
        while turn >= 0:
            turn = 1 - turn
        return self.fc(self.conv(images).relu().flatten(1))


class EndlessForMany(Net):
    def forward(self, images: Tensor) -> Tensor:
        turn = 0
        while turn >= 0 and images.shape[0] > 10:
            turn = 1 - turn
        return self.fc(self.conv(images).relu().flatten(1))


class Large(Net):
    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.conv(images).relu().flatten(1)) + torch.ones([1 << 28]).sum()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of each kind, by its name."""
    folder = tmp_path_factory.mktemp("made")
    torch.manual_seed(0)
    for kind in (Net, Endless, EndlessForMany, Large):
        torch.jit.script(kind()).save(str(folder / kind.__name__))
    return folder


@pytest.fixture
def user(made: Path, finished: Path, tmp_path: Path) -> Path:
    """A user's folder with samples, and an empty folder for programs."""
    folder = tmp_path / "user"
    (folder / "programs").mkdir(parents=True)
    shutil.copy(finished / "probe.npz", folder)
    shutil.copytree(finished / "run", folder / "run")
    shutil.copy(finished / "tiny_net.py", folder)
    for name in ("Net", "Endless", "EndlessForMany", "Large"):
        shutil.copy(made / name, folder / name)
    return folder


def put(folder: Path, *names: str) -> None:
    """Put programs in turn into the run, each an epoch."""
    for epoch, name in enumerate(names):
        shutil.copy(folder / name, folder / "programs" / f"epoch_{epoch}.ts")


def test_what_was_measured_before_stays(rfav: Rfav, user: Path) -> None:
    put(user, "Net", "EndlessForMany")
    done = rfav(user, *ANALYZE, *SHORT)
    assert (done.code, done.out) == (2, "")
    *_, error, remedy = done.err.splitlines()
    assert error.startswith("error: programs/epoch_1.ts: malformed or too large: it did not end within")
    assert error.endswith("s of CPU time while it was run on 100 samples")
    assert "--time-limit" in remedy
    assert open_store(user / "rfav.h5").epochs.tolist() == [0]


def test_skip_bad_goes_on_without_the_file(rfav: Rfav, user: Path) -> None:
    put(user, "Net", "Endless", "Net")
    done = rfav(user, *ANALYZE, *SHORT, "--skip-bad")
    assert done.code == 0, done.err
    history = open_store(user / "rfav.h5")
    assert history.epochs.tolist() == [0, 2]
    (bad,) = history.bad
    assert bad.path == "programs/epoch_1.ts"
    assert bad.reason.startswith("programs/epoch_1.ts: malformed or too large: it did not end within 1 s")


def test_memory_is_bounded(rfav: Rfav, user: Path) -> None:
    done = rfav(user, "layers", "Large", "--probe", "probe.npz", "--memory-limit", "200MiB")
    assert (done.code, done.out) == (2, "")
    error, remedy = done.err.splitlines()
    assert error == (
        "error: Large: malformed or too large: there was not enough memory for it while it was run on 2 samples"
    )
    assert "--memory-limit" in remedy


def test_a_program_that_the_first_look_missed_takes_a_child_as_well(rfav: Rfav, user: Path) -> None:
    weights = (user / "run" / "epoch_000.pt").read_bytes()
    shutil.rmtree(user / "run")
    (user / "run").mkdir()
    for epoch in (6, *range(10, 16)):  # by name the first epoch stands between others, and is not looked into
        (user / "run" / f"epoch_{epoch}.pt").write_bytes(weights)
    shutil.copy(user / "Endless", user / "run" / "epoch_5.pt")
    done = rfav(user, "analyze", "run", "--model", "tiny_net:make_net", "--probe", "probe.npz", *SHORT)
    assert done.code == 2
    error, remedy = done.err.splitlines()
    assert error == (
        "error: run/epoch_5.pt: malformed or too large: it did not end within 1 s of CPU time while it was run on "
        "2 samples"
    )
    assert "--time-limit" in remedy
    assert not (user / "rfav.h5").exists()


@pytest.fixture
def running(rfav: Rfav, user: Path) -> Running:
    """A run of many programs that has measured the first."""
    put(user, *["Net"] * 200)
    running = rfav.start(user, *ANALYZE)
    running.wait_for("1/200")
    return running


def child_of(parent: int) -> int:
    (child,) = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(child)


def test_ctrl_c_is_handed_on_once_and_then_again(running: Running, user: Path) -> None:
    child = child_of(running.pid)
    running.send(signal.SIGINT)
    running.wait_for("stopping after this checkpoint")
    done = running.wait()
    assert done.code == 130
    assert "Traceback" not in done.err
    assert done.out.startswith(f"rfav.h5: {len(open_store(user / 'rfav.h5'))} epoch")
    assert not is_there(child)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_child_is_left(running: Running, number: signal.Signals) -> None:
    child = child_of(running.pid)
    running.send(number)
    assert running.wait().code == -number
    end = time.monotonic() + 20
    while is_there(child):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_watched_series_goes_on_without_a_bad_program(rfav: Rfav, user: Path) -> None:
    put(user, "Net", "Endless", "Net")
    watch = ["watch", "programs", "--probe", "probe.npz", "--idle", "3", "--interval", "0.05", "--patience", "0.2"]
    done = rfav(user, *watch, *SHORT)
    assert done.code == 0, done.err
    history = open_store(user / "rfav.h5")
    assert history.epochs.tolist() == [0, 2]
    assert [bad.path for bad in history.bad] == ["programs/epoch_1.ts"]
    assert "it did not end within 1 s" in history.bad[0].reason


def files_of(process: int) -> set[str]:
    """The files that a process holds open, while it opens and closes others."""
    held = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            held.add(str(entry.readlink()))
    return {name for name in held if name.startswith("/") and not name.startswith("/dev/")}


def test_the_child_holds_nothing_of_its_parents(running: Running) -> None:
    shared = files_of(child_of(running.pid)) & files_of(running.pid)
    running.send(signal.SIGKILL)
    running.wait()
    assert all(name.endswith((".out", ".err")) for name in shared)
