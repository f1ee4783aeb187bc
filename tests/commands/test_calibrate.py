"""The temperature of an epoch that was measured, and of a checkpoint that is."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rfav_cli
from rfav_cli import diagnosis
from rfav_cli.errors import OutputError, SampleError, StoreError, UsageError
from rfav_cli.records import Doubt
from rfav_cli.store import StoreWriter
from tests.commands import nets
from tests.store.example import make_run, measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIGURES = {
    "temperature": 2.5,
    "loss": 1.5,
    "calibrated_loss": 1.2,
    "calibration_error": 0.2,
    "calibrated_error": 0.03,
    "accuracy": 0.6,
    "confidence": 0.8,
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Epochs 3 and 4, each with figures of its own, and epoch 9 without a temperature."""
    writer = StoreWriter.open(tmp_path / "rfav.h5", make_run())
    for epoch, temperature in ((3, 2.5), (4, 1.5), (9, math.nan)):
        figures = {**FIGURES, "temperature": temperature}
        writer.append(measure(epoch, **{f"probe/{name}": np.float64(value) for name, value in figures.items()}))
    return tmp_path / "rfav.h5"


def test_an_epoch_of_a_store_is_what_was_measured_of_it(store: Path) -> None:
    found = rfav_cli.calibrate(store, epoch=3)
    assert {name: getattr(found, name) for name in FIGURES} == FIGURES
    assert (found.path, found.epoch, found.checkpoint, found.samples) == (str(store), 3, "runs/epoch_3.pt", 5)
    assert rfav_cli.calibrate(rfav_cli.open_store(store), epoch=4).temperature == 1.5


def test_the_last_epoch_is_taken_by_default_and_nan_is_no_temperature(store: Path) -> None:
    with pytest.raises(StoreError, match=r"epoch 9 has no temperature: .* NaN"):
        rfav_cli.calibrate(store)
    history = rfav_cli.open_store(store)
    shorter = replace(
        history,
        checkpoints=history.checkpoints[:2],
        columns={name: np.asarray(column)[:2] for name, column in history.columns.items()},
    )
    assert rfav_cli.calibrate(shorter).epoch == 4


def test_an_epoch_that_is_not_there_is_refused_with_those_that_are(store: Path) -> None:
    with pytest.raises(UsageError, match="--epoch 5: is not in") as caught:
        rfav_cli.calibrate(store, epoch=5)
    assert "from 3 to 9" in caught.value.remedy


def test_a_store_without_labels_temperatures_or_epochs_says_so(tmp_path: Path, store: Path) -> None:
    StoreWriter.open(tmp_path / "old.h5", make_run()).append(measure(0, **{"probe/sample_prediction": np.zeros(5)}))
    with pytest.raises(StoreError, match=r"old\.h5: epoch 0 was measured without a temperature"):
        rfav_cli.calibrate(tmp_path / "old.h5")
    history = rfav_cli.open_store(store)
    unlabelled = replace(history, run=replace(history.run, probe=replace(history.run.probe, labels=None)))
    with pytest.raises(StoreError, match="the probe has no labels"):
        rfav_cli.calibrate(unlabelled, epoch=3)
    with pytest.raises(StoreError, match="holds no epoch"):
        rfav_cli.calibrate(replace(history, checkpoints=(), columns={}))
    with pytest.raises(StoreError, match="there is no such store"):
        rfav_cli.calibrate(tmp_path / "nothing.h5")


def test_a_net_that_scores_no_classes_is_not_asked_for_labels(samples: Callable[[Any], Path], tmp_path: Path) -> None:
    StoreWriter.open(tmp_path / "regression.h5", make_run()).append(measure(0))
    history = rfav_cli.open_store(tmp_path / "regression.h5")
    for labels in (history.run.probe.labels, None):
        probe = replace(history.run.probe, labels=labels)
        with pytest.raises(StoreError, match="no class scores were measured"):
            rfav_cli.calibrate(replace(history, run=replace(history.run, probe=probe)))


@pytest.mark.parametrize(("temperature", "calibrated"), [(345.0, 1.6), (10000.0, 1.2)])
def test_scores_that_say_nothing_of_the_labels_have_no_temperature(
    store: Path, tmp_path: Path, temperature: float, calibrated: float
) -> None:
    writer = StoreWriter.open(tmp_path / "chance.h5", make_run())
    figures = {**FIGURES, "loss": 5.0, "temperature": temperature, "calibrated_loss": calibrated}
    writer.append(measure(3, **{f"probe/{name}": np.float64(value) for name, value in figures.items()}))
    with pytest.raises(StoreError, match=r"epoch 3: no temperature is of use, the scores say nothing of the labels"):
        rfav_cli.calibrate(tmp_path / "chance.h5", out=tmp_path / "temperature.json")
    assert not (tmp_path / "temperature.json").exists()


def test_a_temperature_helps_where_the_samples_say_so_for_sure(store: Path) -> None:
    assert rfav_cli.calibrate(store, epoch=3).helps
    history = rfav_cli.open_store(store)
    losses = np.asarray(history.columns["probe/sample_loss"])
    for gain, helps in ((0.1, True), (np.array([0.9, -0.8, 0.7, -0.6, 0.0]), False)):
        columns = {**history.columns, "probe/sample_calibrated_loss": losses - gain}
        assert rfav_cli.calibrate(replace(history, columns=columns), epoch=3).helps is helps


def test_a_folder_is_no_checkpoint(series: Callable[..., Path]) -> None:
    folder = series(nets.Images, "eager")
    with pytest.raises(UsageError, match="a folder, and a temperature is of one checkpoint") as caught:
        rfav_cli.calibrate(folder)
    assert "--epoch" in caught.value.remedy


@pytest.mark.parametrize("kind", ["eager", "scripted", "exported"])
def test_a_checkpoint_is_measured_as_a_run_is(
    samples: Callable[[Any], Path],
    series: Callable[..., Path],
    tmp_path: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diagnosis, "says_nothing", lambda *_: "")  # though this net has learnt nothing
    folder, probe = series(nets.Images, kind), samples(nets.Images)
    model = nets.Images if kind == "eager" else None
    history = rfav_cli.analyze(folder, probe=probe, model=model, out=tmp_path / "a.h5")
    found = rfav_cli.calibrate(folder / "epoch_1.pt", probe=probe, model=model)
    of_store = rfav_cli.calibrate(history)
    assert found.temperature == pytest.approx(of_store.temperature, rel=1e-4)
    assert {name: getattr(found, name) for name in FIGURES} == pytest.approx(
        {name: getattr(of_store, name) for name in FIGURES}, rel=1e-4
    )
    assert (found.epoch, found.samples, found.path) == (None, 24, str(folder / "epoch_1.pt"))


def test_a_checkpoint_takes_samples_with_labels_and_no_epoch(
    samples: Callable[[Any], Path], series: Callable[..., Path], tmp_path: Path
) -> None:
    path, probe = series(nets.Images, "eager") / "epoch_1.pt", samples(nets.Images)
    with pytest.raises(UsageError, match="not a store") as caught:
        rfav_cli.calibrate(path, model=nets.Images)
    assert "--probe" in caught.value.remedy
    with pytest.raises(UsageError, match="--epoch"):
        rfav_cli.calibrate(path, model=nets.Images, probe=probe, epoch=1)
    np.save(tmp_path / "unlabelled.npy", np.zeros((6, *nets.SHAPES[nets.Images]), np.float32))
    with pytest.raises(SampleError, match=r"unlabelled\.npy: has no labels"):
        rfav_cli.calibrate(path, model=nets.Images, probe=tmp_path / "unlabelled.npy")


def test_what_is_found_is_written_in_place_of_another_and_of_nothing_else(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "temperature.json"
    for epoch, temperature in ((3, 2.5), (4, 1.5)):
        found = rfav_cli.calibrate(store, epoch=epoch, out=path)
        document = json.loads(path.read_text())
        assert document["temperature"] == temperature
        assert {**asdict(found), "doubts": [], "notes": []}.items() <= {**document, "doubts": [], "notes": []}.items()
    for text in ("{}", "[1]", "no JSON", '{"schema": 1, "temperature": 2}'):
        path.write_text(text)
        with pytest.raises(OutputError, match="not written by `rfav calibrate`"):
            rfav_cli.calibrate(store, epoch=3, out=path)
        assert path.read_text() == text
    with pytest.raises(OutputError, match="there is no folder"):
        rfav_cli.calibrate(store, epoch=3, out=tmp_path / "nowhere" / "a.json")
    with pytest.raises(OutputError, match="reads it"):
        rfav_cli.calibrate(store, epoch=3, out=store, force=True)


def test_a_doubt_of_the_run_is_one_of_its_temperature(store: Path) -> None:
    doubt = Doubt("run", "", "another run's file", "Take it away.", 0.9)
    history = replace(rfav_cli.open_store(store), doubts=(doubt,))
    assert doubt in rfav_cli.calibrate(history, epoch=3).doubts
