"""What all that measures shares: the probe and the settings from options, and checkpoints into a store."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli.commands.measuring import (
    StoreRecorder,
    floats,
    name_of,
    open_options,
    prepare_checkpoints,
    sample_options,
)
from rfav_cli.errors import CheckpointError, SampleError, StoreError, UsageError
from rfav_cli.options import Analyze
from rfav_cli.options.groups import Recording, Samples
from rfav_cli.records import BadCheckpoint, Settings
from tests.commands import nets


@pytest.fixture
def prepared(series, samples):
    run = series(nets.Vectors, "eager", 2)
    options = Analyze(checkpoints=run, probe=samples(nets.Vectors), model=nets.Vectors, layout="nf", maps="all")
    return run, prepare_checkpoints(options)


def test_settings_follow_from_options_and_probe(prepared):
    _, (probe, settings, opening, *_) = prepared
    assert settings.maps == len(probe) == 24
    assert settings.model == opening.model_name == "tests.commands.nets:Vectors"


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


@pytest.mark.parametrize(
    ("model", "arguments", "name"),
    [
        (None, ("a=1",), ""),
        ("zoo:lenet", (), "zoo:lenet"),
        ("zoo:lenet", ("a=1", "b=2"), "zoo:lenet(a=1, b=2)"),
        (nets.Vectors, (), "tests.commands.nets:Vectors"),
    ],
)
def test_what_a_store_calls_a_net(model, arguments, name):
    assert name_of(model, arguments) == name


def test_one_number_is_a_row_of_one():
    assert (floats(None), floats(0.5), floats([0.1, 0.2])) == (None, (0.5,), (0.1, 0.2))


def test_an_unknown_centering_is_refused():
    with pytest.raises(UsageError, match="--centering printed: not known"):
        open_options(Settings(centering="printed"), None, torch.device("cpu"))


def test_objects_and_files_give_the_same_figures_in_every_command(series, samples, tmp_path):
    run, file = series(nets.Vectors, "eager", 2), samples(nets.Vectors)
    with np.load(file) as arrays:
        data = torch.utils.data.TensorDataset(*(torch.from_numpy(arrays[name]) for name in ("images", "labels")))
    of_file = rfav_cli.analyze(run, probe=file, model=nets.Vectors, layout="nf", out=tmp_path / "a.h5")
    of_object = rfav_cli.analyze(run, probe=data, model=nets.Vectors, out=tmp_path / "b.h5")
    assert of_object.run.probe.sha256 == of_file.run.probe.sha256
    assert of_object.run.probe.source == "TensorDataset (from Python)"
    assert of_object.loss.tolist() == of_file.loss.tolist()
    again = rfav_cli.analyze(run, probe=data.tensors, model=nets.Vectors, out=tmp_path / "b.h5")
    assert again.loss.tolist() == of_file.loss.tolist()
    with pytest.raises(StoreError, match="no temperature is of use"):  # of a net that was not trained, as of a file
        rfav_cli.calibrate(run / "epoch_0.pt", probe=data, model=nets.Vectors)
    assert rfav_cli.layers(run / "epoch_0.pt", probe=data, model=nets.Vectors).subject.samples == 24


def test_what_chance_makes_of_samples_is_kept_in_the_store(series, samples, tmp_path):
    class Noisy(torch.utils.data.TensorDataset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return x + torch.rand(()), y

    run = series(nets.Vectors, "eager", 2)
    with np.load(samples(nets.Vectors)) as arrays:
        data = Noisy(torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"]))
    given = {"model": nets.Vectors, "out": tmp_path / "a.h5"}
    history = rfav_cli.analyze(run, probe=list(data), train_probe=torch.utils.data.Subset(data, range(9)), **given)
    assert [(doubt.kind, doubt.where) for doubt in history.doubts if doubt.kind == "chance"] == [
        ("chance", "Subset (from Python)")
    ]


def test_a_mean_by_name_brings_its_deviation():
    options = sample_options(Samples(mean="imagenet"))
    assert (options.mean[0], options.std[0]) == (0.485, 0.229)
    options = sample_options(Samples(mean="imagenet", std=(0.5,)))
    assert (options.mean[0], options.std) == (0.485, (0.5,))
