"""Checkpoints that are measured into a store as they come."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli.commands.measuring import prepare_checkpoints
from rfav_cli.commands.store_recorder import StoreRecorder
from rfav_cli.errors import CheckpointError, SampleError
from rfav_cli.options import Analyze
from rfav_cli.options.groups import Recording
from rfav_cli.records import BadCheckpoint
from tests.commands import nets


@pytest.fixture
def prepared(series, samples):
    run = series(nets.Vectors, "eager", 2)
    options = Analyze(checkpoints=run, probe=samples(nets.Vectors), model=nets.Vectors, layout="nf", maps="all")
    return run, prepare_checkpoints(options)


def test_an_epoch_is_measured_once_and_as_analyze_does(prepared, samples, tmp_path):
    run, known = prepared
    recorder = StoreRecorder(tmp_path / "a.h5", known, Recording())
    assert (recorder.opened, recorder.committed) == (False, {})
    recorder.record_bad(BadCheckpoint("run/bad.pt", "why"))
    assert recorder.measure(0, run / "epoch_0.pt") is not None
    assert recorder.measure(0, run / "epoch_0.pt") is None
    assert list(recorder.committed) == [0]
    recorder.pack()
    stored = rfav_cli.open_store(tmp_path / "a.h5")
    assert [bad.path for bad in stored.bad] == ["run/bad.pt"]
    analyzed = rfav_cli.analyze(
        run / "epoch_0.pt", probe=samples(nets.Vectors), model=nets.Vectors, layout="nf", out=tmp_path / "b.h5"
    )
    assert stored.entropy.tolist() == analyzed.entropy.tolist()


def test_training_samples_are_measured_as_analyze_does(series, samples, tmp_path):
    run, probe = series(nets.Vectors, "eager", 2), samples(nets.Vectors)
    np.save(tmp_path / "train.npy", np.random.default_rng(3).normal(size=(7, 6)).astype(np.float32))
    given = {"probe": probe, "train_probe": tmp_path / "train.npy", "model": nets.Vectors, "layout": "nf"}
    prepared = prepare_checkpoints(Analyze(checkpoints=run, **given))
    assert any("took all 7 samples" in note for note in prepared.notes)
    recorder = StoreRecorder(tmp_path / "a.h5", prepared, Recording())
    recorder.measure(0, run / "epoch_0.pt")
    stored = rfav_cli.open_store(tmp_path / "a.h5")
    analyzed = rfav_cli.analyze(run / "epoch_0.pt", out=tmp_path / "b.h5", **given)
    assert stored.run.train_probe == analyzed.run.train_probe
    assert stored.run.train_probe.size == 7
    assert stored.train_confidence.tolist() == analyzed.train_confidence.tolist()
    recorder = StoreRecorder(
        tmp_path / "c.h5", prepare_checkpoints(Analyze(checkpoints=run, **given | {"train_probe": probe})), Recording()
    )
    with pytest.raises(SampleError, match="hold all 24 of the probe"):
        recorder.measure(0, run / "epoch_0.pt")


def test_a_file_of_another_net_is_refused_before_there_is_a_store(prepared, tmp_path):
    torch.save(nets.make(nets.Sequences, 0).state_dict(), tmp_path / "other.pt")
    recorder = StoreRecorder(tmp_path / "a.h5", prepared[1], Recording())
    with pytest.raises(CheckpointError):
        recorder.measure(0, tmp_path / "other.pt")
    recorder.pack()
    assert not (tmp_path / "a.h5").exists()
