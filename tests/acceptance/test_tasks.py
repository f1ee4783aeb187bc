"""One run for each task, through all that reads a store: nothing breaks, and losses are called by their names."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from rfav_cli import Monitor, open_store
from rfav_cli.records.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.commands import Rfav

SAMPLES, EPOCHS = 40, 7

CODE = """
import torch
from torch import nn

def flat(outputs):
    return nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 12), nn.ReLU(),
                         nn.Linear(12, int(outputs)))

def planes(outputs):
    return nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(6, int(outputs), 1))

def absolute(scores, labels):
    return (scores[:, 0] - labels).abs()
"""


def labels_of(task: str, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels that the samples tell in part, so that a net learns, and then memorises."""
    tells = images.mean((2, 3)) * 8 @ rng.normal(size=(2, 4)) + 0.4 * rng.normal(size=(len(images), 4))
    return {
        "binary": (tells[:, 0] > 0).astype(np.int64),
        "multilabel": (tells > 0).astype(np.int64),
        "regression": (3 + tells[:, 0]).astype(np.float32),
        "pixels": np.digitize(images[:, 0] + rng.normal(size=(len(images), 8, 8)), [-0.5, 0.5]).astype(np.uint8),
        "other": (3 + tells[:, 0]).astype(np.float32),
    }[task]


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "binary": lambda scores, y: binary_cross_entropy_with_logits(scores[:, 0], y.to(scores.dtype)),
    "multilabel": lambda scores, y: binary_cross_entropy_with_logits(scores, y.to(scores.dtype)),
    "regression": lambda scores, y: mse_loss(scores[:, 0], y.to(scores.dtype)),
    "pixels": lambda scores, y: cross_entropy(scores, y.long()),
    "other": lambda scores, y: (scores[:, 0] - y).abs().mean(),
}
NETS = dict.fromkeys(LOSSES, ("flat", 1)) | {"multilabel": ("flat", 4), "pixels": ("planes", 3)}


def train(task: str, folder: Path) -> list[float]:
    """Checkpoints of a short training, and a probe; gives the held-out losses in float64."""
    scope: dict[str, Any] = {}
    exec(compile(CODE, "nets", "exec"), scope)
    rng = np.random.default_rng(5)
    images = rng.normal(size=(2 * SAMPLES, 2, 8, 8)).astype(np.float32)
    labels = labels_of(task, images, rng)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    torch.manual_seed(0)
    name, outputs = NETS[task]
    net: nn.Module = scope[name](outputs)
    optimizer, truth = torch.optim.Adam(net.parameters(), 0.01), []
    (folder / "run").mkdir()
    for epoch in range(EPOCHS):
        torch.save(net.state_dict(), folder / "run" / f"epoch_{epoch}.pt")
        with torch.no_grad():
            truth.append(float(LOSSES[task](copy.deepcopy(net).double()(x[SAMPLES:].double()), y[SAMPLES:])))
        for _ in range(12):
            optimizer.zero_grad()
            LOSSES[task](net(x[:SAMPLES]), y[:SAMPLES]).backward()
            optimizer.step()
    (folder / "nets.py").write_text(CODE)
    np.savez(folder / "probe.npz", images=images[SAMPLES:], labels=labels[SAMPLES:])
    np.savez(folder / "train.npz", images=images[:SAMPLES], labels=labels[:SAMPLES])
    return truth


@pytest.fixture(scope="module", params=sorted(LOSSES))
def analyzed(request: pytest.FixtureRequest, rfav: Rfav, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A task, and the folder with the store of its run, whose losses are those of the reference."""
    task, folder = request.param, tmp_path_factory.mktemp(request.param)
    truth = train(task, folder)
    name, outputs = NETS[task]
    asked = ["--loss", "nets.py:absolute", "--task", "other"] if task == "other" else []
    command = ["analyze", "run", "--model", f"nets.py:{name}", "--model-arg", f"outputs={outputs}"]
    done = rfav(folder, *command, "--probe", "probe.npz", "--train-probe", "train.npz", "--layout", "nchw", *asked)
    assert done.code == 0, done.err
    np.testing.assert_allclose(open_store(folder / "rfav.h5").loss, truth, rtol=1e-5)
    assert f"task {task}" in done.err
    return task, folder


def name_of_loss(task: str) -> str:
    if task == "other":
        return "held-out loss nets.py:absolute"
    return "held-out loss" if task == "binary" else f"held-out {TASKS[task].loss}"


def test_show_names_the_loss_and_the_figure(rfav: Rfav, analyzed: tuple[str, Path]) -> None:
    task, folder = analyzed
    for options in ([], ["--epochs"]):
        table = rfav(folder, "show", *options)
        assert table.code == 0, table.err
        assert name_of_loss(task) in table.out
        assert ("accuracy" in table.out) == TASKS[task].is_share
        assert "nan" not in table.out
    document = rfav(folder, "show", "--format", "json").json()
    assert document["probe"]["task"] == task
    assert document["probe"]["loss"] == name_of_loss(task)
    assert document["settings"]["task"] == task
    if task == "regression":
        assert document["epochs"][0]["figure"] is not None
        assert document["epochs"][0]["accuracy"] is None
    for form in ("csv", "markdown"):
        for options in ([], ["--epochs"]):
            assert rfav(folder, "show", "--format", form, *options).code == 0


@pytest.mark.parametrize("command", [["report"], ["check"], ["recommend"], ["recommend", "--anyway"], ["compare"]])
def test_what_reads_a_store_reads_one_of_each_task(rfav: Rfav, analyzed: tuple[str, Path], command: list[str]) -> None:
    task, folder = analyzed
    stores = ["rfav.h5", "rfav.h5"] if command == ["compare"] else ["rfav.h5"]
    done = rfav(folder, *command, *stores)
    ends = {"check": (0, 1, 2), "recommend": (0, 2)}  # flagged, or nothing to be given
    assert done.code in ends.get(command[0], (0,)), done.err
    assert "Traceback" not in done.err
    assert "not expected" not in done.err
    if command == ["compare"]:
        assert ("accuracy" in done.out) == TASKS[task].is_share


@pytest.mark.parametrize("figure", ["loss", "overview"])
def test_figures_are_drawn(rfav: Rfav, analyzed: tuple[str, Path], figure: str) -> None:
    _, folder = analyzed
    done = rfav(folder, "plot", "rfav.h5", "--figure", figure, "--out", f"{figure}.svg")
    assert done.code == 0, done.err


def test_calibrate_says_where_there_is_nothing_to_calibrate(rfav: Rfav, analyzed: tuple[str, Path]) -> None:
    task, folder = analyzed
    done = rfav(folder, "calibrate", "rfav.h5")
    assert (done.code == 0 or "say nothing of the labels" in done.err) == TASKS[task].in_nats, done.err
    if not TASKS[task].in_nats:
        assert "nothing to calibrate" in done.err


def test_a_run_is_not_continued_with_another_loss(rfav: Rfav, analyzed: tuple[str, Path]) -> None:
    task, folder = analyzed
    if task != "regression":
        pytest.skip("one is enough")
    command = ["analyze", "run", "--model", "nets.py:flat", "--model-arg", "outputs=1", "--layout", "nchw"]
    done = rfav(folder, *command, "--probe", "probe.npz", "--train-probe", "train.npz", "--loss", "nets.py:absolute")
    assert done.code == 2
    assert "loss: mean squared error / nets.py:absolute" in done.err


def test_layers_and_a_checkpoints_calibration_know_the_task(rfav: Rfav, analyzed: tuple[str, Path]) -> None:
    task, folder = analyzed
    name, outputs = NETS[task]
    net = [
        "--model",
        f"nets.py:{name}",
        "--model-arg",
        f"outputs={outputs}",
        "--probe",
        "probe.npz",
        "--layout",
        "nchw",
    ]
    asked = ["--loss", "nets.py:absolute", "--task", "other"] if task == "other" else ["--task", task]
    listed = rfav(folder, "layers", *net, *asked)
    assert listed.code == 0, listed.err
    assert f"task {task}" in listed.out + listed.err
    done = rfav(folder, "calibrate", "run/epoch_3.pt", *net, *asked)
    assert (done.code == 0 or "say nothing of the labels" in done.err) == TASKS[task].in_nats, done.err
    assert ("nothing to calibrate" in done.err) != TASKS[task].in_nats


def test_a_monitor_takes_a_loss_of_ones_own(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 3)).astype(np.float32), rng.normal(size=9).astype(np.float32)
    np.savez(tmp_path / "probe.npz", images=x, labels=y)
    store = tmp_path / "rfav.h5"
    with Monitor(
        net, tmp_path / "probe.npz", store, loss=lambda scores, labels: (scores[:, 0] - labels).abs()
    ) as monitor:
        monitor.record(0)
    history = open_store(store)
    with torch.no_grad():
        truth = float((net(torch.from_numpy(x))[:, 0] - torch.from_numpy(y)).abs().mean())
    assert history.loss[0] == pytest.approx(truth, rel=1e-5)
    assert history.task == "regression"
    assert history.run.settings.loss.endswith("<lambda>")
    assert not history.in_nats
