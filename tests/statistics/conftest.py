import pytest
import torch

from rfav_cli.records import Layer, Settings
from rfav_cli.statistics.base import Context


@pytest.fixture
def context():
    """Makes the context of one layer with 4 channels and 2 x 3 positions, and of N samples."""

    def make(size=5, labels=None, layers=None, **settings):
        layers = layers or (Layer("conv1", "Conv2d", 4, (4, 1, 1, 1), (2, 3)),)
        return Context(layers, size, None if labels is None else torch.tensor(labels), Settings(**settings))

    return make
