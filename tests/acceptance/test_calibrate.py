"""`rfav calibrate` as a process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

NET = ["--model", "tiny_net.py:make_net", "--probe", "probe.npz"]


def test_a_store_and_its_checkpoint_give_one_number(rfav: Rfav, measured: Path) -> None:
    of_store = rfav(measured, "calibrate", "rfav.h5")
    assert of_store.code == 0
    assert of_store.out == f"{float(of_store.out):.6g}\n"
    assert "rfav.h5, epoch 3: 120 samples" in of_store.err
    of_checkpoint = rfav(measured, "calibrate", "run/epoch_003.pt", *NET)
    assert of_checkpoint.code == 0
    assert float(of_checkpoint.out) == pytest.approx(float(of_store.out), rel=1e-4)
    assert "run/epoch_003.pt: 120 samples" in of_checkpoint.err


def test_json_is_one_document_and_the_same_as_what_is_written(rfav: Rfav, folder: Path, measured: Path) -> None:
    done = rfav(folder, "calibrate", measured / "rfav.h5", "--epoch", "0", "-f", "json", "-o", "t.json", "--quiet")
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert document == json.loads((folder / "t.json").read_text())
    shown = rfav(measured, "show", "--format", "json").json()["epochs"][1]
    assert shown["epoch"] == document["epoch"] == 0
    names = {
        "temperature",
        "loss",
        "calibrated_loss",
        "calibration_error",
        "calibrated_error",
        "accuracy",
        "confidence",
    }
    assert {name: document[name] for name in names} == {name: shown[name] for name in names}


def test_a_probe_that_is_set_for_the_project_leaves_a_store_a_store(rfav: Rfav, folder: Path, measured: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.rfav]\nprobe = "probe.npz"\nmodel = "tiny_net.py:make_net"\n')
    store = rfav(folder, "calibrate", measured / "rfav.h5")
    checkpoint = rfav(folder, "calibrate", "run/epoch_003.pt")
    assert (store.code, checkpoint.code) == (0, 0)
    assert float(store.out) == pytest.approx(float(checkpoint.out), rel=1e-4)


def test_nothing_can_be_said_without_labels(rfav: Rfav, folder: Path) -> None:
    np.savez(folder / "plain.npz", images=np.load(folder / "probe.npz")["images"])
    done = rfav(folder, "calibrate", "run/epoch_003.pt", "--model", "tiny_net.py:make_net", "--probe", "plain.npz")
    assert (done.code, done.out) == (2, "")
    assert "plain.npz" in done.err
    assert rfav(folder, "analyze", "run", *NET[:2], "--probe", "plain.npz").code == 0
    done = rfav(folder, "calibrate", "rfav.h5")
    assert (done.code, done.out) == (2, "")
    assert "rfav.h5: epoch 3 has no temperature: the probe has no labels" in done.err


def test_a_checkpoint_alone_says_what_to_give(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, "calibrate", "run/epoch_003.pt")
    assert (done.code, done.out) == (2, "")
    assert "--probe" in done.err
    assert rfav(folder, "calibrate").code == 2
