"""The sample run that overfits, written by one process, measured by `rfav watch` and read by `rfav show --watch`."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from rfav_cli import judge, open_store
from tests.acceptance.commands import PATIENCE, ROOT
from tests.acceptance.stores import assert_same_figures
from tests.acceptance.test_watch import training, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli import Verdict
    from tests.acceptance.commands import Rfav

SERIES = ROOT / "sample_models" / "overfit"
NAMES = ["epoch_-1.pt", *(f"epoch_{epoch:03d}.pt" for epoch in range(28))]
ENOUGH = NAMES[:20]
"""With these the verdict tells the collapse."""
SAMPLES = ["--probe", str(ROOT / "sample_models" / "probe.npz"), "--probe-size", "100"]
NET = ["--model", f"{ROOT / 'sample_models' / 'net.py'}:make_net"]
WATCH = ["watch", "run", *NET, *SAMPLES, "--interval", "0.05"]


@pytest.fixture(scope="module")
def whole(rfav: Rfav, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the whole series, analysed afterwards."""
    folder = tmp_path_factory.mktemp("whole")
    assert rfav(folder, "analyze", SERIES, *NET, *SAMPLES).code == 0
    return folder / "rfav.h5"


def assert_same_collapse(first: Verdict, afterwards: Verdict) -> None:
    """What is said at once is said afterwards, of an onset within one epoch."""
    assert first.run.onset is not None
    assert afterwards.run.onset is not None
    assert abs(first.run.onset.epoch - afterwards.run.onset.epoch) <= 1
    collapsed = {layer.name for layer in first.in_state("collapsed")}
    assert first.run.state == afterwards.run.state == "overfitting"
    assert collapsed <= {layer.name for layer in afterwards.in_state("collapsed")}


def test_the_collapse_is_reported_as_soon_as_the_verdict_tells_it(rfav: Rfav, tmp_path: Path, whole: Path) -> None:
    told = ["--idle", "30", "--until-collapse", "--on-collapse", "sh -c 'echo $RFAV_EPOCH $RFAV_LAYERS > told'"]
    running = rfav.start(tmp_path, *WATCH, *told)
    with training(tmp_path, SERIES, ENOUGH, 0.01):
        done = running.wait()
    assert done.code == 3, done.err
    *before, reported, _ = done.out.splitlines()
    assert not any("collapsed" in line or "overfitting" in line for line in before)
    epoch = int(reported.split()[1])
    assert (tmp_path / "told").read_text().split()[0] == str(epoch)
    assert "--on-collapse" in done.err.splitlines()[-1]
    assert done.err.splitlines()[-1].endswith("done")
    assert_same_collapse(judge(tmp_path / "rfav.h5"), judge(whole))


def test_each_of_three_processes_may_be_killed(rfav: Rfav, tmp_path: Path, whole: Path) -> None:
    reader, watcher = rfav.start(tmp_path, "show", "--watch"), rfav.start(tmp_path, *WATCH)
    watcher.wait_for("waiting for it")
    with training(tmp_path, SERIES, NAMES, 0.05) as process:
        wait_for(watcher, "epoch 2  ")
        process.kill()
    wait_for(reader, "verdict:")

    reader.send(signal.SIGKILL)
    assert reader.wait().code == -signal.SIGKILL
    reader = rfav.start(tmp_path, "show", "--watch")
    wait_for(reader, "verdict:")

    written = len([*(tmp_path / "run").glob("*.pt")]) - 1  # the last of them may be half a file
    with training(tmp_path, SERIES, NAMES[written:], 0.05) as process:
        wait_for(watcher, "epoch 8  ")
        watcher.send(signal.SIGKILL)
        first = watcher.wait()
        assert first.code == -signal.SIGKILL
        watcher = rfav.start(tmp_path, *WATCH)
        assert process.wait(PATIENCE) == 0
    wait_for(watcher, "epoch 27  ")
    watcher.send(signal.SIGTERM)
    wait_for(reader, "29 epochs (-1 to 27)")
    reader.send(signal.SIGINT)
    seen, second = reader.wait(), watcher.wait()
    assert (seen.code, second.code) == (0, 0), (seen.err, second.err)
    assert "error" not in first.err + second.err + seen.err

    lines = [line for line in (first.out + second.out).splitlines() if line.startswith("epoch ")]
    epochs = [int(line.split()[1]) for line in lines]
    assert epochs == sorted({*epochs})
    assert {*open_store(tmp_path / "rfav.h5").epochs.tolist()} - {*epochs} <= {first_untold(first.out)}
    reported = next(line for line in lines if "overfitting" in line)
    onset = judge(whole).run.onset
    assert onset is not None
    since = re.search(r"overfitting(?: \([a-z ]+\))? since epoch (\d+)", reported)
    assert since
    assert abs(int(since[1]) - onset.epoch) <= 1
    assert f"epoch {onset.epoch}" in seen.out
    assert_same_figures(tmp_path / "rfav.h5", whole)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith((".tmp", "rfav.h5."))]


def first_untold(out: str) -> int:
    """The epoch after the last that was told: a watcher may be killed between measuring it and telling so."""
    return int(out.splitlines()[-1].split()[1]) + 1
