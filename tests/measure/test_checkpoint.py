import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rfav_cli import isolation
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.find import CheckpointFile
from rfav_cli.errors import CheckpointError, ModelError
from rfav_cli.measure.checkpoint import BatchSize, batches, measure, measure_weights
from rfav_cli.measure.setup import open_run
from rfav_cli.records import Checkpoint, Layer, Settings
from tests.measure.runs import READING, opening, probe_of, save, set_up

SMALL = Layer("conv1", "Conv2d", 16, (16, 3, 3, 3), (32, 32))
MIDDLE = Layer("conv2", "Conv2d", 16, (16, 3, 3, 3), (40, 40))
LARGE = Layer("conv3", "Conv2d", 64, (64, 3, 3, 3), (112, 112))
DENSE = Layer("fc1", "Linear", 10, (10, 8), ())


@pytest.mark.parametrize(
    ("layers", "samples"),
    [((DENSE,), 100), ((SMALL, DENSE), 100), ((SMALL, MIDDLE, DENSE), 81), ((DENSE, LARGE), 50)],
)
def test_a_cpu_takes_fewer_samples_at_once_where_a_layer_is_large(layers, samples):
    assert BatchSize.of(None, torch.device("cpu"), layers) == BatchSize(samples, automatic=True)


def test_an_accelerator_takes_more_samples_whatever_the_layers():
    assert BatchSize.of(None, torch.device("cuda"), (LARGE,)) == BatchSize(250, automatic=True)


def test_the_users_number_of_samples_is_taken_as_it_is():
    assert BatchSize.of(7, torch.device("cpu"), (SMALL,)) == BatchSize(7, automatic=False)


def test_half_as_many_until_there_is_one_unless_the_user_chose():
    size = BatchSize(5, automatic=True)
    size.halve()
    assert size.value == 2
    size.halve()
    with pytest.raises(ModelError, match="one sample at a time"):
        size.halve()
    with pytest.raises(ModelError, match="--batch-size 4 needs more memory"):
        BatchSize(4, automatic=False).halve()


def test_a_batch_that_is_too_large_is_halved_and_said(tmp_path, monkeypatch):
    entries = save(tmp_path, 1)
    setup = set_up(tmp_path, entries)
    batch, events = type(setup.probe).batch, []

    def hungry(probe, rows, device, **how):
        if rows.stop - rows.start > 2:
            raise torch.OutOfMemoryError
        return batch(probe, rows, device, **how)

    monkeypatch.setattr(type(setup.probe), "batch", hungry)
    payload = formats.read(entries[0].path, READING)
    size = BatchSize(6, automatic=True)
    measurement = measure_weights(setup, payload, Checkpoint(0, "0.pt", ""), size, lambda _: None, events.append)
    assert size.value == 1
    assert [event.text for event in events] == [
        "out of memory: going on with 3 samples a batch",
        "out of memory: going on with 1 samples a batch",
    ]
    assert measurement.columns["entropy/mean"].shape == (2,)


def test_a_program_that_needs_too_much_is_a_bad_file_and_the_next_has_the_whole_batch(tmp_path, monkeypatch):
    entries = save(tmp_path, 1)
    setup = set_up(tmp_path, entries)

    def hungry(*_, **__):
        raise MemoryError

    monkeypatch.setattr(type(setup.probe), "batch", hungry)
    monkeypatch.setattr(isolation, "is_child", lambda: True)
    payload = formats.read(entries[0].path, READING)
    size = BatchSize(6, automatic=True)
    program = replace(payload, kind="torchscript")
    with pytest.raises(CheckpointError, match=r"0\.pt: malformed or too large: .* run on 6 samples") as told:
        measure_weights(setup, program, Checkpoint(0, "0.pt", ""), size, lambda _: None, lambda _: None)
    assert "--memory-limit" in told.value.remedy
    assert size.value == 6
    with pytest.raises(ModelError, match="one sample at a time"):
        measure_weights(setup, payload, Checkpoint(0, "0.pt", ""), size, lambda _: None, lambda _: None)


def test_a_layer_that_some_samples_do_not_reach_is_an_error(tmp_path):
    class Choosy(nn.Module):
        def __init__(self):
            super().__init__()
            self.always, self.sometimes, self.head = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)
            self.late = False

        def forward(self, x):
            x = self.always(x)
            return self.head(x if self.late else self.sometimes(x))

    net = Choosy()
    torch.save(net.state_dict(), tmp_path / "0.pt")
    setup = open_run(
        [CheckpointFile(0, tmp_path / "0.pt")], probe_of(tmp_path), READING, opening(lambda: net), Settings()
    )
    net.late = True
    payload, checkpoint = formats.read(tmp_path / "0.pt", READING), Checkpoint(0, "0.pt", "")
    with pytest.raises(CheckpointError, match=r"0\.pt: the forward did not reach sometimes for every sample"):
        measure_weights(setup, payload, checkpoint, BatchSize(2, automatic=False), lambda _: None, lambda _: None)


class Sharing(nn.Module):
    """Not all samples reach `shared` once the net is `late`: fewer rows, other positions, or an error."""

    late = ""

    def __init__(self):
        super().__init__()
        self.always, self.shared, self.head = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        x = self.always(x)
        match self.late:
            case "rows":
                self.shared(x[1:])
            case "positions":
                self.shared(x[:, None])
            case "error":
                raise IndexError(len(x))
            case _:
                self.shared(x)
        return self.head(x)


@pytest.mark.parametrize(
    ("late", "words"),
    [
        ("rows", "0.pt: 2 samples of a batch of 3 reach shared"),
        ("positions", "0.pt: shared has (1,) positions for some samples, not ()"),
        ("error", "0.pt: the net does not run on samples 0 to 2 of the probe: IndexError: 3"),
    ],
)
def test_a_layer_that_gives_something_else_than_at_first_is_named(tmp_path, late, words):
    net = Sharing()
    torch.save(net.state_dict(), tmp_path / "0.pt")
    setup = open_run(
        [CheckpointFile(0, tmp_path / "0.pt")], probe_of(tmp_path), READING, opening(lambda: net), Settings()
    )
    net.late = late
    payload, checkpoint = formats.read(tmp_path / "0.pt", READING), Checkpoint(0, "0.pt", "")
    with pytest.raises(CheckpointError) as caught:
        measure_weights(setup, payload, checkpoint, BatchSize(3, automatic=False), lambda _: None, lambda _: None)
    assert words in caught.value.what


@given(st.integers(1, 300), st.integers(1, 60))
def test_batches_have_each_sample_once_and_none_alone(size, most):
    rows = batches(size, most)
    assert [row for part in rows for row in range(size)[part]] == list(range(size))
    counts = [part.stop - part.start for part in rows]
    assert max(counts) <= most + (most == 2)
    assert min(counts) > 1 or most == 1 or size == 1
    assert counts[:-2] == [most] * len(counts[:-2])


def test_random_numbers_are_the_same_each_time_and_the_users_stay(tmp_path):
    class Noisy(nn.Sequential):
        def forward(self, x):
            return super().forward(x + torch.rand_like(x) + random.random() + np.random.rand())

    net = Noisy(nn.Linear(3, 3), nn.Linear(3, 2))
    torch.save(net.state_dict(), tmp_path / "0.pt")
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    setup = open_run(
        [CheckpointFile(0, tmp_path / "0.pt")], probe_of(tmp_path), READING, opening(lambda: net), Settings()
    )
    checkpoint = Checkpoint(0, "0.pt", "")
    first, again = (measure(setup, checkpoint, 3, lambda _: None) for _ in range(2))
    np.testing.assert_array_equal(first.columns["entropy/mean"], again.columns["entropy/mean"])
    assert torch.equal(torch.rand(1), expected)
    assert [doubt.kind for doubt in setup.doubts] == ["chance"]
