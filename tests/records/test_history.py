from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.records import Checkpoint, History, ProbeRecord, Settings
from rfav_cli.records.distances import SKETCH
from rfav_cli.store import StoreWriter, open_store, pack
from tests.store.example import make_run, measure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def history() -> History:
    """Two epochs; the second has an entropy that is not finite."""
    measured = [measure(0), measure(1)]
    entropies = np.stack([each.columns["entropy/mean"] for each in measured])
    entropies[1, 0] = np.nan
    return History("a.h5", make_run(), tuple(each.checkpoint for each in measured), (), {"entropy/mean": entropies})


def test_the_digest_is_the_same_packed_or_not_wherever_it_lies(tmp_path: Path) -> None:
    digests = set()
    for name, epochs in (("a.h5", (0, 1, 2)), ("b.h5", (2, 0, 1))):
        writer = StoreWriter.open(tmp_path / name, make_run())
        for epoch in epochs:
            writer.append(measure(epoch))
        digests.add(open_store(tmp_path / name).digest)
    digests.add(pack(tmp_path / "a.h5").digest)
    (tmp_path / "a.h5").rename(tmp_path / "c.h5")
    digests.add(open_store(tmp_path / "c.h5").digest)
    assert len(digests) == 1
    assert len(bytes.fromhex(digests.pop())) == hashlib.sha256().digest_size


def test_one_more_epoch_is_another_digest(tmp_path: Path) -> None:
    writer = StoreWriter.open(tmp_path / "a.h5", make_run())
    writer.append(measure(0))
    before = open_store(tmp_path / "a.h5").digest
    writer.append(measure(1))
    assert open_store(tmp_path / "a.h5").digest != before


def test_the_digest_tells_what_a_verdict_rests_on(history: History) -> None:
    run, first = history.run, history.checkpoints[0]
    entropies = np.array(history.columns["entropy/mean"])
    entropies[0, 0] += 1e-15
    others = [
        replace(history, run=replace(run, probe=replace(run.probe, sha256="cd" * 32))),
        replace(history, run=replace(run, train_probe=ProbeRecord("cd" * 32, 7))),
        replace(history, run=replace(run, settings=replace(run.settings, fold_norm=False))),
        replace(history, run=replace(run, layers=(run.layers[0], replace(run.layers[1], name="fc")))),
        replace(history, checkpoints=(Checkpoint(first.epoch, first.path, "0" * 64), history.checkpoints[1])),
        replace(history, checkpoints=(Checkpoint(-1, first.path, first.sha256), history.checkpoints[1])),
        replace(history, columns={"entropy/mean": entropies}),
    ]
    assert len({history.digest, *(other.digest for other in others)}) == 1 + len(others)


def test_the_digest_is_blind_to_paths_and_other_columns(history: History) -> None:
    moved = tuple(replace(each, path=f"elsewhere/{each.path}") for each in history.checkpoints)
    more = {**history.columns, "new/statistic": np.zeros(2)}
    assert replace(history, path="b.h5", checkpoints=moved, columns=more).digest == history.digest


def test_a_raw_store_keeps_the_digest_that_it_had_when_raw_was_the_default(history: History) -> None:
    run = replace(history.run, settings=Settings(fold_norm=False))
    parts = [
        run.probe.sha256,
        {},
        [layer.name for layer in run.layers],
        [[checkpoint.epoch, checkpoint.sha256] for checkpoint in history.checkpoints],
        history.entropy.tolist(),
    ]
    expected = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    assert replace(history, run=run).digest == expected


def test_settings_of_a_later_version_leave_digests_as_they_are(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has its default is not digested, so a new setting is not either."""
    plain = replace(history, run=replace(history.run, settings=Settings(fold_norm=False)))
    before = plain.digest
    monkeypatch.setattr("rfav_cli.records.history.asdict", lambda _: {"with_bias": False, "added": 1})
    assert plain.digest == before


def test_figures_of_activations_are_those_of_the_store(tmp_path: Path) -> None:
    writer = StoreWriter.open(tmp_path / "a.h5", make_run())
    for epoch in (0, 1):
        writer.append(measure(epoch))
    history = open_store(tmp_path / "a.h5")
    for row in (0, 1):
        columns = measure(row).columns
        for name in ("scale", "shape", "rank", "dead"):
            np.testing.assert_array_equal(getattr(history, name)[row], columns[f"activation/{name}"])
        np.testing.assert_array_equal(history.winners("fc.é")[row], columns["activation/winners/1"])
    with pytest.raises(KeyError, match="no layer 'fc'"):
        history.winners("fc")


def test_a_store_of_before_has_none(tmp_path: Path) -> None:
    """An epoch that is added to it has them."""
    writer = StoreWriter.open(tmp_path / "a.h5", make_run())
    old = measure(0)
    columns = {name: values for name, values in old.columns.items() if not name.startswith("activation/")}
    writer.append(replace(old, columns=columns))
    history = open_store(tmp_path / "a.h5")
    assert (history.dead.shape, history.winners("conv1").shape) == ((1, 2), (1, 8))
    assert np.isnan([*history.dead.flat, *history.winners("conv1").flat]).all()
    writer.append(measure(1))
    history = open_store(tmp_path / "a.h5")
    for name in ("scale", "shape", "rank", "dead"):
        assert np.isnan(getattr(history, name)[0]).all()
        np.testing.assert_array_equal(getattr(history, name)[1], measure(1).columns[f"activation/{name}"])
    np.testing.assert_array_equal(history.winners("conv1")[1], measure(1).columns["activation/winners/0"])


def test_distances_come_from_the_sketches_of_whatever_epochs_have_them(tmp_path: Path) -> None:
    writer = StoreWriter.open(tmp_path / "a.h5", make_run())
    for epoch in (2, 0, 1, 3):  # a shard, another one, and a resumed run of an older version
        plain = measure(epoch)
        sketches = {"checkpoint/sketch": np.full((2, SKETCH), 1.0 + epoch, np.float32)} if epoch < 3 else {}
        writer.append(replace(plain, columns={**plain.columns, **sketches}))
    history = open_store(tmp_path / "a.h5")
    np.testing.assert_allclose(history.distance, [np.nan, 1, 1 / 2, np.nan])
    np.testing.assert_allclose(history.layer_distance, [[np.nan] * 2, [1] * 2, [1 / 2] * 2, [np.nan] * 2])


CALIBRATION = ("confidence", "temperature", "calibrated_loss", "calibration_error", "calibrated_error")


def test_the_calibration_is_that_of_the_store_and_nan_in_epochs_without(tmp_path: Path) -> None:
    writer = StoreWriter.open(tmp_path / "a.h5", make_run())
    writer.append(measure(0))
    assert all(np.isnan(getattr(open_store(tmp_path / "a.h5"), name)).all() for name in CALIBRATION)
    figures = {name: np.float64(0.1 * (place + 1)) for place, name in enumerate(CALIBRATION)}
    writer.append(measure(1, **{f"probe/{name}": value for name, value in figures.items()}))
    history = open_store(tmp_path / "a.h5")
    for name in CALIBRATION:
        np.testing.assert_array_equal(getattr(history, name), [np.nan, figures[name]])


def test_the_confidence_on_training_samples_is_that_of_the_epochs_that_have_it(tmp_path: Path) -> None:
    run = replace(make_run(), train_probe=ProbeRecord("cd" * 32, 2))
    writer = StoreWriter.open(tmp_path / "a.h5", run)
    writer.append(measure(0))
    writer.append(measure(1, **{"train/confidence": np.array(0.75)}))
    assert open_store(tmp_path / "a.h5").train_confidence.tolist() == pytest.approx([np.nan, 0.75], nan_ok=True)
    history = open_store(tmp_path / "a.h5")
    assert np.isnan(history.confidence_gap).all()  # of the held-out samples there is none
    held_out = np.array([[0.25, 0.5]] * 2, np.float32)
    history = replace(history, columns={**history.columns, "probe/sample_confidence": held_out})
    assert history.confidence_gap.tolist() == pytest.approx([np.nan, 0.375], nan_ok=True)
    assert np.isnan(History("b.h5", run, (measure(0).checkpoint,), (), {}).train_confidence).all()


def test_a_history_names_its_task_its_loss_and_its_figure(history: History) -> None:
    assert (history.task, history.loss_words, history.figure_name) == ("classes", "held-out loss", "accuracy")
    assert history.has_one_class
    assert history.in_nats
    run = replace(history.run, settings=replace(history.run.settings, task="regression", loss="mean squared error"))
    numbers = replace(history, run=run, columns={"probe/figure": np.array([0.5, 0.75])})
    assert (numbers.loss_words, numbers.figure_name) == ("held-out mean squared error", "R squared")
    assert (numbers.has_one_class, numbers.has_accuracy, numbers.in_nats) == (False, False, False)
    assert numbers.figure.tolist() == numbers.other_figure.tolist() == [0.5, 0.75]
    assert np.isnan(numbers.prediction_spread).all()
    own = replace(numbers, run=replace(run, settings=replace(run.settings, loss="mine.py:huber")))
    assert own.loss_words == "held-out loss mine.py:huber"


def test_without_labels_there_is_no_task_but_labels_need_not_be_kept(history: History) -> None:
    probe = replace(history.run.probe, labels=None)
    bare = replace(history, run=replace(history.run, probe=probe))
    assert (bare.task, bare.labelled, bare.loss_words) == ("", False, "held-out loss")
    assert replace(bare, run=replace(bare.run, probe=replace(probe, unkept=True))).labelled


def test_naming_the_task_of_classes_leaves_the_digest(history: History) -> None:
    run = history.run
    named = replace(history, run=replace(run, settings=replace(run.settings, task="classes")))
    other = replace(history, run=replace(run, settings=replace(run.settings, task="binary")))
    assert history.digest == named.digest != other.digest
