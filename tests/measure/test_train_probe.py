"""Training samples beside the probe: what is measured of them, and which are refused or doubted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rfav_cli.data.probe import Probe, load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.errors import CheckpointError, SampleError, UsageError
from rfav_cli.measure.loop import measure_checkpoints
from rfav_cli.measure.setup import Setup, open_run
from rfav_cli.measure.train_probe import count_common, with_train_probe
from rfav_cli.records import Measurement, Settings
from tests.measure.runs import READING, SAMPLES, make_net, opening, probe_of, save, set_up

if TYPE_CHECKING:
    from pathlib import Path

TRAINING = 9


def training_of(folder: Path, *, labels: bool = True, first: int = 0, count: int = TRAINING) -> Probe:
    values = np.random.default_rng(first + 1).standard_normal((count, 3)).astype(np.float32)
    np.savez(folder / "train.npz", images=values, **({"labels": np.arange(count) % 2} if labels else {}))
    return load_probe(str(folder / "train.npz"))


def measured(setup: Setup, entries: list, **options: int) -> Measurement:
    (result,) = measure_checkpoints(entries, setup, READING, **options)
    assert isinstance(result, Measurement)
    return result


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("batch_size", [None, 2])
def test_figures_are_those_of_the_net_run_by_hand(tmp_path: Path, labels: bool, batch_size: int | None) -> None:
    entries, train = save(tmp_path, 1), training_of(tmp_path, labels=labels)
    setup = with_train_probe(set_up(tmp_path, entries), train)
    columns = measured(setup, entries, batch_size=batch_size).columns
    net = make_net().double()
    net.load_state_dict(torch.load(entries[0].path, weights_only=True))
    with torch.no_grad():
        probabilities = net(torch.from_numpy(train.inputs[:]).double()).softmax(1).numpy()
    confidences = probabilities.max(1)
    np.testing.assert_allclose(columns["train/sample_confidence"], confidences, rtol=1e-5)
    assert columns["train/sample_confidence"].dtype == np.float32
    assert columns["train/confidence"] == pytest.approx(confidences.mean(), rel=1e-5)
    ours = {name for name in columns if name.startswith("train/")}
    if train.labels is None:
        assert ours == {"train/sample_confidence", "train/confidence"}
        return
    losses = -np.log(probabilities[np.arange(TRAINING), train.labels])
    np.testing.assert_allclose(columns["train/sample_loss"], losses, rtol=1e-4)
    assert columns["train/loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert columns["train/accuracy"] == (probabilities.argmax(1) == train.labels).mean()
    assert len(ours) == 5


def test_what_is_measured_of_the_probe_is_the_same_without_them(tmp_path: Path) -> None:
    entries = save(tmp_path, 1)
    setup = set_up(tmp_path, entries)
    assert with_train_probe(setup, None) is setup
    without = measured(setup, entries).columns
    columns = measured(with_train_probe(setup, training_of(tmp_path)), entries).columns
    assert columns.keys() - without.keys() == {name for name in columns if name.startswith("train/")}
    for name, values in without.items():
        np.testing.assert_array_equal(columns[name], values, err_msg=name)


def test_no_layer_is_measured_on_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = save(tmp_path, 1)
    setup = with_train_probe(set_up(tmp_path, entries), training_of(tmp_path, count=40))
    read: list[int] = []
    from rfav_cli.measure import checkpoint

    entropy_of = checkpoint.position_entropy

    def counted(values: torch.Tensor, *others: object) -> torch.Tensor:
        read.append(len(values))
        return entropy_of(values, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(checkpoint, "position_entropy", counted)
    measured(setup, entries)
    assert read == [SAMPLES] * 2


def test_the_run_keeps_what_they_are(tmp_path: Path) -> None:
    entries, train = save(tmp_path, 1), training_of(tmp_path)
    setup = with_train_probe(set_up(tmp_path, entries), train)
    record = setup.run.train_probe
    assert record is not None
    assert (record.sha256, record.size, record.source) == (train.sha256, TRAINING, train.source)
    assert (record.labels, record.thumbnails) == (None, None)
    assert (setup.subject.train_probe, setup.subject.train_samples) == (train.source, TRAINING)
    assert not setup.doubts


def test_a_net_whose_output_is_not_measured_has_nothing_to_compare(tmp_path: Path) -> None:
    setup = set_up(tmp_path, save(tmp_path, 1), Settings(outputs=False), labels=False)
    with pytest.raises(UsageError, match="no class scores"):
        with_train_probe(setup, training_of(tmp_path))


def test_labels_beyond_the_outputs_are_refused(tmp_path: Path) -> None:
    setup, train = set_up(tmp_path, save(tmp_path, 1)), training_of(tmp_path)
    with pytest.raises(SampleError, match=r"train\.npz: label 2 is beyond the 2 outputs"):
        with_train_probe(setup, replace(train, labels=np.arange(TRAINING) % 3))


def test_samples_that_the_net_does_not_take_are_named(tmp_path: Path) -> None:
    class Positive(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) == TRAINING:
                raise ValueError("of nine")
            return super().forward(x)  # type: ignore[no-any-return]

    entries = save(tmp_path, 1)
    setup = open_run(entries, probe_of(tmp_path), READING, opening(lambda: Positive(*make_net())), Settings())
    with pytest.raises(CheckpointError, match=r"samples 0 to 8 of the training probe: .*of nine"):
        measured(with_train_probe(setup, training_of(tmp_path)), entries)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": np.zeros((TRAINING, 4), np.float32)}, "training samples of 4; those of the probe, .*, are 3"),
        ({"mean": (0.5,), "std": (0.25,)}, "normalised by mean 0.5 and deviation 0.25; .* by mean none"),
        ({"classes": ("cat", "dog")}, "class 1 is dog / cow"),
        ({"classes": ("cat", "cow", "dog")}, "3 / 2 classes"),
    ],
)
def test_what_enters_the_net_otherwise_than_the_probe_is_refused(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    setup, train = set_up(tmp_path, save(tmp_path, 1)), training_of(tmp_path)
    setup = replace(setup, probe=replace(setup.probe, classes=("cat", "cow")))
    with pytest.raises(SampleError, match=words):
        with_train_probe(setup, replace(train, **change))  # type: ignore[arg-type]


def test_gray_images_are_given_as_those_of_the_probe(tmp_path: Path) -> None:
    def write(name: str, seed: int) -> str:
        images = np.random.default_rng(seed).integers(0, 256, (SAMPLES, 6, 6), dtype=np.uint8)
        np.savez(tmp_path / name, images=images, labels=np.arange(SAMPLES) % 2)
        return str(tmp_path / name)

    def make() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 2))

    entries = save(tmp_path, 1)
    torch.save(make().state_dict(), entries[0].path)
    setup = open_run(entries, load_probe(write("probe.npz", 0)), READING, opening(make), Settings())
    train = load_probe(write("train.npz", 1))
    taken = with_train_probe(setup, train).train_probe
    assert taken is not None
    assert taken.sha256 == load_probe(train.source, options=SampleOptions(rgb=True)).sha256


@pytest.mark.parametrize(("common", "certainty"), [(1, 0.5), (2, 0.95), (150, 0.95)])
def test_held_out_samples_that_were_trained_on_are_doubted(tmp_path: Path, common: int, certainty: float) -> None:
    setup, train = set_up(tmp_path, save(tmp_path, 1)), training_of(tmp_path, count=300)
    values = np.random.default_rng(5).standard_normal((200, 3)).astype(np.float32)
    values[:common] = train.inputs[:common]
    setup = replace(setup, probe=replace(setup.probe, inputs=values, labels=None))
    (doubt,) = with_train_probe(setup, train).doubts
    assert (doubt.kind, doubt.certainty) == ("training", certainty)
    verb = "is" if common == 1 else "are"
    assert doubt.words.startswith(f"{common} of 200 held-out samples {verb} among the 300 training samples, which are")


@pytest.mark.parametrize("more", [0, 3])
def test_a_probe_of_training_samples_alone_is_refused(tmp_path: Path, more: int) -> None:
    setup, train = set_up(tmp_path, save(tmp_path, 1)), training_of(tmp_path)
    images = np.concatenate([setup.probe.inputs[:], train.inputs[:more]])
    with pytest.raises(SampleError, match=r"train\.npz: the training samples hold all 6 of the probe, .*probe\.npz"):
        with_train_probe(setup, replace(train, inputs=images, labels=None))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.lists(st.integers(0, 6), max_size=12))
def test_common_samples_are_those_of_a_search(held_out: list[int], trained: list[int]) -> None:
    arrays = [np.array(values, np.uint8).reshape(-1, 1, 1, 1).repeat(2, 3) for values in (held_out, trained)]
    assert count_common(*arrays) == sum(value in trained for value in held_out)
