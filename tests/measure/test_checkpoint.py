import pytest
import torch
from torch import nn

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.find import CheckpointFile
from rfav_cli.errors import CheckpointError, ModelError
from rfav_cli.measure.checkpoint import BatchSize, measure_weights
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

    def hungry(probe, rows, device):
        if rows.stop - rows.start > 2:
            raise torch.OutOfMemoryError
        return batch(probe, rows, device)

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


def test_a_layer_that_some_samples_do_not_reach_is_an_error(tmp_path):
    class Choosy(nn.Module):
        def __init__(self):
            super().__init__()
            self.always, self.sometimes, self.head = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)
            self.forwards = 0

        def forward(self, x):
            self.forwards += 1
            x = self.always(x)
            return self.head(self.sometimes(x) if self.forwards < 4 else x)

    net = Choosy()
    torch.save(net.state_dict(), tmp_path / "0.pt")
    setup = open_run(
        [CheckpointFile(0, tmp_path / "0.pt")], probe_of(tmp_path), READING, opening(lambda: net), Settings()
    )
    payload, checkpoint = formats.read(tmp_path / "0.pt", READING), Checkpoint(0, "0.pt", "")
    with pytest.raises(CheckpointError, match=r"0\.pt: the forward did not reach sometimes for every sample"):
        measure_weights(setup, payload, checkpoint, BatchSize(2, automatic=False), lambda _: None, lambda _: None)
