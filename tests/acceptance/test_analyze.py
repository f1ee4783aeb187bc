"""A run that is measured in several goes, or by several processes."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rfav_cli import open_store
from tests.acceptance.runs import ANALYZE, EPOCHS, draw, name_of
from tests.acceptance.stores import assert_same_figures

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Done, Rfav


@pytest.fixture
def folder(measured: Path, tmp_path: Path) -> Path:
    """A user's folder with a run that has been measured."""
    return shutil.copytree(measured, tmp_path / "project")


def measured_epochs(done: Done) -> list[int]:
    """The epochs that a command says it has measured."""
    return [int(epoch) for epoch in re.findall(r"^\d+/\d+ epoch (-?\d+) ", done.err, re.MULTILINE)]


def test_a_second_run_measures_nothing(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, *ANALYZE)
    assert (done.code, measured_epochs(done)) == (0, [])
    assert done.out == "rfav.h5: 5 epochs, 3 layers, 120 samples\n"


def test_new_checkpoints_are_added(rfav: Rfav, folder: Path, measured: Path) -> None:
    (folder / "rfav.h5").unlink()
    for epoch in (2, 3):
        (folder / "run" / name_of(epoch)).rename(folder / name_of(epoch))
    assert measured_epochs(rfav(folder, *ANALYZE)) == [-1, 0, 1]
    for epoch in (2, 3):
        (folder / name_of(epoch)).rename(folder / "run" / name_of(epoch))
    done = rfav(folder, *ANALYZE)
    assert measured_epochs(done) == [2, 3]
    assert "4/5 epoch 2" in done.err
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


def test_a_changed_checkpoint_asks_for_fresh(rfav: Rfav, folder: Path) -> None:
    before = (folder / "rfav.h5").read_bytes()
    path = folder / "run" / name_of(2)
    torch.save({name: value * 2 for name, value in torch.load(path).items()}, path)
    done = rfav(folder, *ANALYZE)
    assert (done.code, done.out) == (2, "")
    assert "run/epoch_002.pt" in done.err
    assert "epoch 2" in done.err
    assert "--fresh" in done.err
    assert (folder / "rfav.h5").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "differs"),
    [
        (["--with-bias"], {"with_bias: False / True"}),
        (["--maps", "3", "--centering", "paper"], {"maps: 32 / 3", "centering: pearson / paper"}),
        (["--probe-size", "50"], {"120 samples", "50 samples"}),
        (["--skip", "conv1"], {"conv1"}),
    ],
)
def test_other_settings_say_what_differs(rfav: Rfav, folder: Path, options: list[str], differs: set[str]) -> None:
    before = (folder / "rfav.h5").read_bytes()
    done = rfav(folder, *ANALYZE, *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-2].startswith("error: rfav.h5: holds another run")
    assert {text for text in differs if text not in done.err} == set()
    assert "--fresh" in done.err
    assert (folder / "rfav.h5").read_bytes() == before


def test_fresh_measures_everything_anew(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, *ANALYZE, "--fresh", "--with-bias")
    assert (done.code, measured_epochs(done)) == (0, list(EPOCHS))
    assert open_store(folder / "rfav.h5").run.settings.with_bias
    assert "--with-bias" in rfav(folder, "show").out


def test_two_processes_fill_one_store(rfav: Rfav, folder: Path, measured: Path) -> None:
    (folder / "rfav.h5").unlink()
    both = [rfav.start(folder, *ANALYZE, "--shard", part) for part in ("1/2", "2/2")]
    first, second = (running.wait() for running in both)
    assert (first.code, measured_epochs(first)) == (0, [-1, 1, 3])
    assert (second.code, measured_epochs(second)) == (0, [0, 2])
    assert (folder / "rfav.h5.d").is_dir()
    assert rfav(folder, "pack", "rfav.h5").out == "rfav.h5: 5 epochs\n"
    assert not (folder / "rfav.h5.d").exists()
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


@pytest.fixture
def training(folder: Path) -> Path:
    """The samples that the tiny net was trained on, without labels, beside the run."""
    np.save(folder / "train.npy", draw(240, seed=1)[0])
    (folder / "rfav.h5").unlink()
    return folder


@pytest.mark.parametrize("command", ["analyze", "watch"])
def test_training_samples_are_measured_beside_the_probe(rfav: Rfav, training: Path, command: str) -> None:
    given = [*("--model", "tiny_net:make_net", "--probe", "probe.npz", "--train-probe", "train.npy")]
    done = rfav(training, command, "run", *given, *(["--idle", "1"] if command == "watch" else []))
    assert done.code == 0, done.err
    if command == "analyze":
        assert "looked at 120 samples of probe.npz, 4 classes, 240 training samples of train.npy, not" in done.err
    history = open_store(training / "rfav.h5")
    assert history.run.train_probe is not None
    assert history.run.train_probe.size == 240
    assert np.isfinite(history.confidence_gap).all()
    assert "train/loss" not in history.columns
    assert "training samples: 240 of train.npy" in rfav(training, "show").out
    refused = rfav(training, *ANALYZE)
    assert (refused.code, "train_probe: 240 samples of train.npy" in refused.err) == (2, True)
    assert rfav(training, *ANALYZE, "--fresh").code == 0


def test_the_probe_given_as_training_samples_is_refused(rfav: Rfav, training: Path) -> None:
    done = rfav(training, *ANALYZE, "--train-probe", "probe.npz")
    assert (done.code, done.out) == (2, "")
    assert "what a net was trained on says nothing of overfitting" in done.err
    assert not (training / "rfav.h5").exists()
