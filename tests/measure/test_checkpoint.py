import pytest
import torch

from rfav_cli.measure.checkpoint import BatchSize
from rfav_cli.records import Layer

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
