"""A training in one process, `rfav watch` in another, readers in others: none harms another, whichever is killed."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rfav_cli import open_store
from tests.acceptance.commands import PATIENCE
from tests.acceptance.runs import EPOCHS, name_of
from tests.acceptance.stores import assert_same_figures
from tests.acceptance.test_terminal import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.acceptance.commands import Rfav, Running

WATCH = ["watch", "run", "--model", "tiny_net:make_net", "--probe", "probe.npz", "--interval", "0.05"]

TRAINING = """
import pathlib, sys, time

source, run, pause, *names = sys.argv[1:]
run = pathlib.Path(run)
run.mkdir(exist_ok=True)
for number, name in enumerate(names):
    content = (pathlib.Path(source) / name).read_bytes()
    if number % 2:  # in pieces, with a rest that no look takes for the end of it
        with (run / name).open("wb", buffering=0) as file:
            for start in range(0, len(content), len(content) // 4):
                file.write(content[start : start + len(content) // 4])
                time.sleep(float(pause))
    else:
        (run / (name + ".tmp")).write_bytes(content)
        (run / (name + ".tmp")).replace(run / name)
    (run / "log.txt").open("a").write(name)
    time.sleep(float(pause))
"""
"""Writes checkpoints as trainings do: every other one under another name first, the rest in pieces."""


@contextlib.contextmanager
def training(folder: Path, source: Path, names: Sequence[str], pause: float) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", TRAINING, str(source), str(folder / "run"), str(pause), *names]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def source(folder: Path) -> Path:
    """The checkpoints of the user's folder, which has none itself."""
    return (folder / "run").rename(folder / "written")


def wait_until(holds: Callable[[], bool], running: Running) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, (running.output("out"), running.output("err"))
        time.sleep(0.005)


def wait_for(running: Running, text: str) -> None:
    """Wait until the text stands on stdout."""
    wait_until(lambda: text in running.output("out"), running)


def test_a_training_is_watched_to_its_end(rfav: Rfav, folder: Path, source: Path, measured: Path) -> None:
    running = rfav.start(folder, *WATCH)
    running.wait_for("run: not there yet; waiting for it")
    with training(folder, source, [name_of(epoch) for epoch in EPOCHS], 0.08):
        wait_for(running, "epoch 3  ")
        assert "5 epochs" in rfav(folder, "show").out
    running.send(signal.SIGTERM)
    done = running.wait()
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:-1]] == [f"epoch {epoch}" for epoch in EPOCHS]
    assert lines[-1].startswith("rfav.h5: 5 epochs, 3 layers, 120 samples: ")
    assert "stopping after this checkpoint" in done.err
    assert not [path.name for path in folder.iterdir() if path.name.startswith((".tmp", "rfav.h5."))]
    (folder / "rfav.h5").rename(folder / "watched.h5")
    assert_same_figures(folder / "watched.h5", measured / "rfav.h5")


def test_a_watcher_that_is_killed_harms_nothing_and_goes_on(
    rfav: Rfav, folder: Path, source: Path, measured: Path
) -> None:
    running = rfav.start(folder, *WATCH)
    with training(folder, source, [name_of(epoch) for epoch in EPOCHS], 0.05) as process:
        wait_for(running, "epoch 0  ")
        running.send(signal.SIGKILL)
        assert running.wait().code == -signal.SIGKILL
        assert process.wait(PATIENCE) == 0
    assert {-1, 0} <= {*open_store(folder / "rfav.h5").epochs.tolist()}
    assert rfav(folder, "show").code == 0
    again = rfav(folder, *WATCH, "--idle", "1")
    assert again.code == 0, again.err
    told = [line.split("  ")[0] for line in again.out.splitlines() if "  loss " in line]
    assert told == [f"epoch {epoch}" for epoch in EPOCHS][len(EPOCHS) - len(told) :]
    assert not {"epoch -1", "epoch 0"} & {*told}
    assert not [path.name for path in folder.iterdir() if path.name.startswith((".tmp", "rfav.h5."))]
    (folder / "rfav.h5").rename(folder / "watched.h5")
    assert_same_figures(folder / "watched.h5", measured / "rfav.h5")


def test_a_training_and_a_reader_that_are_killed_leave_the_watcher(rfav: Rfav, folder: Path, source: Path) -> None:
    (folder / "run").mkdir()
    shutil.copy(source / name_of(-1), folder / "run")
    half = (source / name_of(0)).read_bytes()[:3000]
    running = rfav.start(folder, *WATCH, "--patience", "0.2", "--idle", "2")
    wait_for(running, "epoch -1  ")
    reader = rfav.start(folder, "show", "--format", "json")
    reader.send(signal.SIGKILL)
    reader.wait()
    (folder / "run" / name_of(0)).write_bytes(half)  # where a killed training ends
    done = running.wait()
    assert done.code == 0, done.err
    assert f"skipped: run/{name_of(0)}: run/{name_of(0)}: damaged or cut off" in done.err
    assert open_store(folder / "rfav.h5").epochs.tolist() == [-1]
    assert [bad.path for bad in open_store(folder / "rfav.h5").bad] == [f"run/{name_of(0)}"]


def test_others_that_would_write_are_told(rfav: Rfav, folder: Path) -> None:
    running = rfav.start(folder, *WATCH)
    wait_for(running, "epoch 3  ")
    for command in (WATCH, ["analyze", *WATCH[1:6]], ["analyze", *WATCH[1:6], "--fresh"]):
        done = rfav(folder, *command)
        assert (done.code, done.out) == (2, "")
        first, second = done.err.splitlines()
        assert first.startswith(f"error: rfav.h5: `rfav watch` is filling it already (process {running.pid} on ")
        assert second == "Wait until that has ended, or choose another --out."
    assert rfav(folder, "show").code == 0
    assert rfav(folder, "pack", "rfav.h5").code == 0
    running.send(signal.SIGINT)
    assert running.wait().code == 0


def test_ctrl_c_twice_ends_at_once(rfav: Rfav, folder: Path, source: Path) -> None:
    (folder / "slow.py").write_text(
        "import pathlib, time\nfrom tiny_net import TinyNet\n\nclass Net(TinyNet):\n    def forward(self, images):\n"
        "        if len(images) > 8:\n            pathlib.Path('reached').touch()\n            time.sleep(60)\n"
        "        return super().forward(images)\n"
    )
    running = rfav.start(folder, *WATCH, "--model", "slow:Net")
    running.wait_for("waiting for it")
    source.rename(folder / "run")
    wait_until((folder / "reached").exists, running)
    running.send(signal.SIGINT)
    running.wait_for("stopping after this checkpoint; Ctrl-C again to stop at once")
    running.send(signal.SIGINT)
    done = running.wait()
    assert (done.code, done.out) == (130, "")
    assert done.err.splitlines()[-1] == "stopped at once; 0 epochs are safe in rfav.h5"


def test_the_users_command_outlives_the_watcher(rfav: Rfav, folder: Path) -> None:
    shutil.copy(folder / "run" / "epoch_000.pt", folder / "run" / "epoch_003.pt")  # its loss rises
    options = ["--fewest", "2", "--smoothing", "0", "--idle", "20"]
    command = "sh -c 'echo $$ > started; sleep 0.3; echo $RFAV_STATE > finished'"
    running = rfav.start(folder, *WATCH, *options, "--on-collapse", command)
    wait_until((folder / "started").exists, running)
    running.send(signal.SIGTERM)
    assert running.wait().code == 0
    wait_until((folder / "finished").exists, running)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--idle", "0.2"], {"empty", "no checkpoint came in 0.2 s", "--idle"}),
        (["--interval", "0"], {"--interval", "more than 0"}),
        (["--on-collapse", "no-such-program"], {"--on-collapse", "no-such-program"}),
        (["--epochs", "net.pt"], {"--epochs", "{epoch}"}),
    ],
)
def test_what_can_be_given_wrongly(rfav: Rfav, folder: Path, arguments: list[str], words: set[str]) -> None:
    (folder / "empty").mkdir()
    done = rfav(folder, "watch", "empty", *WATCH[2:], *arguments)
    assert (done.code, done.out) == (2, "")
    assert not [word for word in words if word not in done.err]
    assert not list(folder.glob("rfav.h5*"))


def test_on_a_terminal_lines_are_whole_and_fit(rfav: Rfav, folder: Path) -> None:
    code, drawn = rfav.on_terminal(folder, *WATCH, "--idle", "0.5", columns=60)
    assert code == 0
    assert "waiting for checkpoints" in drawn
    lines = [line for line in lines_of(drawn) if line.startswith("epoch ")]
    assert [line.split("  ")[0] for line in lines] == [f"epoch {epoch}" for epoch in EPOCHS]


def test_results_go_to_stdout_when_messages_go_to_a_terminal(rfav: Rfav, folder: Path) -> None:
    code, drawn, out = rfav.on_terminal_but_for_stdout(folder, *WATCH, "--idle", "0.5", columns=80)
    assert code == 0
    assert len(out.splitlines()) == len(EPOCHS) + 1
    assert "epoch 3  " not in drawn


def test_quiet_prints_nothing(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, *WATCH, "--idle", "0.5", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert len(open_store(folder / "rfav.h5")) == len(EPOCHS)
