"""What all that measures shares: the probe and the settings from options."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli.commands.measuring import floats, name_of, open_options, prepare_checkpoints, sample_options
from rfav_cli.errors import StoreError, UsageError
from rfav_cli.options import Analyze
from rfav_cli.options.groups import Samples
from rfav_cli.records import Settings
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
