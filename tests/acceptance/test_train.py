"""`rfav train` as a user runs it: to its end, stopped, killed, on a terminal."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from rfav_cli import open_store
from tests.acceptance.project.tiny_net import TinyNet
from tests.acceptance.runs import draw
from tests.commands.judged import write_judged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

TRAIN = ["train", "--data", "data.npz", "--model", "tiny_net:make_net", "--out", "new", "--epochs", "4"]
TRAIN += ["--batch-size", "20", "--momentum", "0.9", "--learning-rate", "0.05", "--augment", "flip,crop"]
RECIPE = 'schema = 1\n[[layer]]\nname = "conv2"\nlambda = 0.001\n[[layer]]\nname = "conv1"\nkappa = 0.1\n'
SLOW = """
import pathlib, time
from tiny_net import TinyNet

class SlowNet(TinyNet):
    def forward(self, images):
        time.sleep(0.01)
        while self.training and pathlib.Path("blocked").exists():
            pathlib.Path("waiting").touch()
            time.sleep(0.005)
        return super().forward(images)
"""


KEPT = [*TRAIN, "--recipe", "recipe.toml", "--model", "slow_net:SlowNet", "--probe", "probe.npz"]


@pytest.fixture(scope="session")
def prepared(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder as it is made once."""
    folder = tmp_path_factory.mktemp("trainer")
    for name in ("tiny_net.py", "probe.npz"):
        shutil.copy(finished / name, folder)
    pictures, labels = draw(120, seed=3)
    np.savez(folder / "data.npz", images=pictures, labels=labels)
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "slow_net.py").write_text(SLOW)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A user's folder with a net, training data, held-out samples and a recipe."""
    return shutil.copytree(prepared, tmp_path / "project")


@pytest.fixture(scope="session")
def whole(prepared: Path, rfav: Rfav, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that `KEPT` gives when nothing disturbs it."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("whole") / "project")
    done = rfav(folder, *KEPT)
    assert done.code == 0, done.err
    return folder / "new"


def states(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    return {path.name: torch.load(path, weights_only=True)["model"] for path in sorted(folder.glob("epoch_*.pt"))}


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) | {"seconds": 0} for line in (folder / "log.jsonl").read_text().splitlines()]


def assert_same_run(one: Path, other: Path) -> None:
    ours, theirs = states(one), states(other)
    assert list(ours) == list(theirs)
    for name, state in ours.items():
        assert [key for key in state if not torch.equal(state[key], theirs[name][key])] == []
    assert rows(one) == rows(other)


def test_a_run_is_told_a_line_an_epoch_and_can_be_analyzed(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, *TRAIN, "--recipe", "recipe.toml", "--probe", "probe.npz", "--validation", "0.2")
    assert done.code == 0, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("epoch ")]
    assert [line.split()[1] for line in lines] == ["-1", "0", "1", "2", "3"]
    assert re.fullmatch(
        r"epoch 3  train loss \d\.\d{4}  accuracy \d\.\d{4}  penalties \S+/conv\d [-+]\d\.\d{4} \S+/conv\d "
        r"[-+]\d\.\d{4}  validation loss \d\.\d{4}  accuracy \d\.\d{4}  \d+\.\d s",
        lines[-1],
    )
    assert re.match(r"new: 4 epochs, validation loss \d\.\d{4} \(lowest \d\.\d{4} at epoch \d\), accuracy", done.out)
    assert "note: training on 96 samples, validated on 24" in done.err
    assert "5 epochs (-1 to 3)" in rfav(folder, "show", "new/rfav.h5").out
    analyzed = rfav(folder, "analyze", "new", "--model", "tiny_net:make_net", "--probe", "probe.npz")
    assert analyzed.out == "rfav.h5: 5 epochs, 3 layers, 120 samples\n", analyzed.err
    np.testing.assert_array_equal(open_store(folder / "rfav.h5").entropy, open_store(folder / "new/rfav.h5").entropy)


@pytest.mark.parametrize(
    ("said", "later"),
    [("", 0.0), ("note: training", 0.0), ("epoch -1 ", 0.0), ("epoch 0 ", 0.03), ("epoch 1 ", 0.0), ("epoch 2 ", 0.05)],
)
def test_a_killed_run_goes_on_to_the_same_bits(rfav: Rfav, folder: Path, whole: Path, said: str, later: float) -> None:
    running = rfav.start(folder, *KEPT)
    running.wait_for(said)
    time.sleep(later)
    running.send(signal.SIGKILL)
    killed = running.wait()
    assert killed.code == -signal.SIGKILL
    told = re.findall(r"^epoch (-?\d+) ", killed.err, re.MULTILINE)
    assert {f"epoch_{epoch}.pt" for epoch in told} <= {*states(folder / "new")}
    again = rfav(folder, *KEPT, "--resume")
    assert again.code == 0, again.err
    assert not {*told} & {*re.findall(r"^epoch (-?\d+) ", again.err, re.MULTILINE)}
    assert_same_run(folder / "new", whole)
    one, other = open_store(folder / "new/rfav.h5"), open_store(whole / "rfav.h5")
    assert [each.sha256 for each in one.checkpoints] == [each.sha256 for each in other.checkpoints]
    np.testing.assert_array_equal(one.entropy, other.entropy)
    assert [path.name for path in (folder / "new").rglob(".tmp*")] == []


def test_ctrl_c_ends_after_the_step_and_the_run_goes_on_from_there(rfav: Rfav, folder: Path, whole: Path) -> None:
    running = rfav.start(folder, *KEPT)
    running.wait_for("epoch 1 ")
    (folder / "blocked").touch()
    wait_until((folder / "waiting").exists)
    running.send(signal.SIGINT)
    running.wait_for("stopping after this step")
    (folder / "blocked").unlink()
    done = running.wait()
    assert done.code == 130
    assert "Traceback" not in done.err
    assert done.out.endswith("; --resume goes on\n")
    again = rfav(folder, *KEPT, "--resume")
    assert again.code == 0, again.err
    assert re.search(r"note: going on at epoch 2, step [2-6]$", again.err, re.MULTILINE)
    assert_same_run(folder / "new", whole)


def test_a_second_ctrl_c_ends_at_once(rfav: Rfav, folder: Path, whole: Path) -> None:
    running = rfav.start(folder, *KEPT)
    running.wait_for("epoch 0 ")
    (folder / "blocked").touch()
    wait_until((folder / "waiting").exists)
    for words in ("stopping after this step", "stopped at once; 2 checkpoints are safe in new; --resume goes on"):
        running.send(signal.SIGINT)
        running.wait_for(words)
    assert running.wait().code == 130
    (folder / "blocked").unlink()
    assert rfav(folder, *KEPT, "--resume").code == 0
    assert_same_run(folder / "new", whole)


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize(
    ("columns", "figures"),
    [
        (140, r"loss \d\.\d{3} pen [-+]\d\.\d{3} val \d\.\d{3} \d+\.\d%"),
        (80, r"loss \d\.\d{3} pen [-+]\d\.\d{3} val \d\.\d{3} \d+\.\d%"),
        (60, r"loss \d\.\d{3} "),
    ],
)
def test_a_terminal_shows_a_bar(rfav: Rfav, folder: Path, columns: int, figures: str) -> None:
    code, drawn = rfav.on_terminal(
        folder, *TRAIN, "--recipe", "recipe.toml", "--model", "slow_net:SlowNet", columns=columns
    )
    assert code == 0
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn))
    bars = [line for line in lines if re.match(r"epoch \d/3 step \d/6", line)]
    assert any(re.search(figures, bar) for bar in bars)
    assert any("━" in bar for bar in bars) == (columns >= 100)
    assert max(map(len, bars)) <= columns
    assert "…" not in drawn


def test_quiet_says_nothing(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, *TRAIN, "-q")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_healthy_store_ends_without_a_training(rfav: Rfav, folder: Path) -> None:
    write_judged(folder, overfits=False)
    done = rfav(folder, *TRAIN, "--from-store", "judged.h5")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("nothing to train: judged.h5: healthy")
    assert not (folder / "new").exists()


def test_a_store_is_judged_by_the_thresholds_of_the_project(rfav: Rfav, folder: Path) -> None:
    write_judged(folder, overfits=True)
    (folder / "pyproject.toml").write_text("[tool.rfav]\nrise = 100\nsparse = 1\n")
    done = rfav(folder, *TRAIN, "--from-store", "judged.h5")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("nothing to train: judged.h5: healthy")
    assert rfav(folder, "recommend", "judged.h5", "--format", "json").json()["layers"] == []
    started = rfav(folder, *TRAIN, "--from-store", "judged.h5", "--rise", "0.02", "--epochs", "1")
    assert "sparsity/fc1" in started.err


def test_from_a_store_with_nothing_but_data_and_the_net(rfav: Rfav, folder: Path) -> None:
    write_judged(folder, overfits=True)
    command = ["train", "--from-store", "judged.h5", "--data", "data.npz", "--out", "new", "--epochs", "1"]
    refused = rfav(folder, *command)
    assert refused.code == 2
    assert "If that code is yours, give --model tiny_net:make_net" in refused.err
    done = rfav(folder, *command, "--model", "tiny_net:make_net")
    assert done.code == 0, done.err
    assert "note: starts from epoch" in done.err
    assert set(rows(folder / "new")[-1]["penalties"]) == {"sparsity/conv2", "sparsity/fc1"}


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning", "ignore:.*torch.jit.*:DeprecationWarning")
def test_a_torchscript_series_is_retrained_and_saved_as_torchscript(rfav: Rfav, folder: Path) -> None:
    (folder / "run").mkdir()
    for epoch in range(2):
        torch.manual_seed(epoch)
        torch.jit.script(TinyNet()).save(str(folder / "run" / f"epoch_{epoch}.pt"))
    command = ["train", "--data", "data.npz", "--init", "run/epoch_1.pt", "--recipe", "recipe.toml", "--out", "new"]
    done = rfav(folder, *command, "--epochs", "2", "--probe", "probe.npz")
    assert done.code == 0, done.err
    assert set(rows(folder / "new")[-1]["penalties"]) == {"sparsity/conv2", "decorrelation/conv1"}
    analyzed = rfav(folder, "analyze", "new", "--probe", "probe.npz")
    assert analyzed.out == "rfav.h5: 3 epochs, 3 layers, 120 samples\n", analyzed.err
    np.testing.assert_array_equal(open_store(folder / "rfav.h5").entropy, open_store(folder / "new/rfav.h5").entropy)
    assert torch.jit.load(folder / "new/epoch_1.pt").training is False
    whole = rfav(folder, *command[:-1], "whole", "--epochs", "3")
    again = rfav(folder, *command, "--epochs", "3", "--probe", "probe.npz", "--resume")
    assert (whole.code, again.code) == (0, 0), whole.err + again.err
    one, other = (torch.jit.load(folder / out / "epoch_2.pt").state_dict() for out in ("whole", "new"))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.fixture
def images(folder: Path) -> Path:
    """The training data as image files, two of which are no images."""
    pictures, labels = draw(60, seed=3)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        path = folder / "images" / f"class{label}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    for name in ("class0/x\x1b[31m.png", "class2/y.png"):
        (folder / "images" / name).write_bytes(b"no image")
    return folder


def test_unreadable_images_are_listed_and_can_be_left_out(rfav: Rfav, images: Path) -> None:
    arguments = [*TRAIN, "--data", "images"]
    done = rfav(images, *arguments)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert lines[0] == "error: images: 2 samples cannot be read"
    assert "\x1b" not in done.err
    assert "class0" in lines[1]
    assert "class2/y.png" in lines[2]
    assert "--skip-unreadable" in lines[3]
    again = rfav(images, *arguments, "--skip-unreadable")
    assert again.code == 0, again.err
    assert again.err.count("note: skipped: ") == 2
    assert "note: training on 54 samples, validated on 6" in again.err


@pytest.mark.parametrize(
    ("kilobytes", "file"),
    [(8, "new: "), (16, "new/rfav.h5: ")],  # no state is that small, and no epoch of the store
)
def test_a_full_disk_is_said_and_the_run_goes_on_later(
    rfav: Rfav, folder: Path, whole: Path, kilobytes: int, file: str
) -> None:
    done = rfav(folder, *KEPT, largest_file=1024 * kilobytes)
    assert (done.code, done.out) == (2, "")
    error = done.err[done.err.index("error: ") :].splitlines()
    assert error[0] == f"error: {file}no room left to write (File too large)"
    assert "run the same command again with --resume" in error[1]
    again = rfav(folder, *KEPT, "--resume")
    assert again.code == 0, again.err
    assert_same_run(folder / "new", whole)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--recipe", "other.toml"], "conv7"),
        (["--recipe", "wrong.toml"], "wrong.toml: layer[0].kappa must be"),
        (["--recipe", "paper:sr4"], "paper:sr3"),
        (["--validation", "2"], "--validation"),
        (["--learning-rate", "-1"], "--learning-rate"),
        (["--keep", "0"], "'0' is neither"),
        (["--model-arg", "classes=2"], "beyond the 2 outputs"),
        (["--augment", "spin"], "spin"),
        (["--learning-rate", "1e30", "--momentum", "0"], "The checkpoint before training is the last good one."),
        (["--recipe", "huge.toml"], "epoch 0, step 1: the penalty sparsity/conv2 is -inf"),
        (["--recipe", "paper:sr3"], "layer 'conv3': this net has no such layer"),
        (["--validation", "none.npz"], "none.npz"),
        (["--validation", "0.001"], "or 0 for none"),
        (["--data", "bare.npz"], "no labels"),
        (["--out", "data.npz"], "data.npz"),
    ],
)
def test_bad_input_is_an_error_of_a_few_lines(rfav: Rfav, folder: Path, options: list[str], said: str) -> None:
    (folder / "other.toml").write_text(RECIPE.replace("conv2", "conv7"))
    (folder / "wrong.toml").write_text(RECIPE.replace("0.001", "-0.001").replace('"conv2"\n', '"conv2"\nkappa = nan\n'))
    np.savez(folder / "bare.npz", images=draw(20, seed=3)[0])
    (folder / "huge.toml").write_text(RECIPE.replace("0.001", "1e300"))
    done = rfav(folder, *TRAIN, *options)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    # What breaks down as it trains keeps its last good checkpoint; what is refused leaves nothing.
    assert [*states(folder / "new")] == (["epoch_-1.pt"] if "step 1" in said or "last good" in said else [])
    assert (folder / "new").exists() == bool(states(folder / "new"))
    assert "Traceback" not in done.err
    first = next(n for n, line in enumerate(done.err.splitlines()) if line.startswith("error: "))
    assert len(done.err.splitlines()) - first <= 4
