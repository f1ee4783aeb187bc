import warnings

import numpy as np
import pytest
import torch

from tests.commands import nets
from tests.commands.judged import write_judged
from tests.remote.memory import memory  # noqa: F401 - a fixture

SAMPLES = 24


def save(net, kind, path, example):
    """Write a net as a checkpoint of a kind."""
    if kind == "eager":
        torch.save(net.state_dict(), path)
    elif kind == "exported":
        batch = torch.export.Dim("batch", min=1, max=4096)
        torch.export.save(torch.export.export(net, (example,), dynamic_shapes=({0: batch},)), path)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated, and in use
            module = torch.jit.trace(net, example) if kind == "traced" else torch.jit.script(net)
            (torch.jit.freeze(module) if kind == "frozen" else module).save(str(path))


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """Writes a probe file for a net, and gives its path, its samples and labels in the order of the probe."""

    def make(net):
        rng = np.random.default_rng(5)
        values = rng.normal(size=(SAMPLES, *nets.SHAPES[net])).astype(np.float32)
        labels = np.arange(SAMPLES) % 4
        path = tmp_path_factory.mktemp("probe") / "probe.npz"
        np.savez(path, images=values, labels=labels)
        return path

    return make


@pytest.fixture(scope="session")
def series(tmp_path_factory):
    """Writes a run of some epochs of a net, once for each kind."""
    made = {}

    def make(net, kind, epochs=2):
        key = (net, kind, epochs)
        if key not in made:
            folder = tmp_path_factory.mktemp(kind)
            example = torch.randn(3, *nets.SHAPES[net])
            for epoch in range(epochs):
                save(nets.make(net, epoch), kind, folder / f"epoch_{epoch}.pt", example)
            made[key] = folder
        return made[key]

    return make


@pytest.fixture(scope="session")
def judged(tmp_path_factory):
    """Stores of two runs: one that overfits from epoch 8 on, and a healthy one."""
    folder = tmp_path_factory.mktemp("judged")
    return tuple(write_judged(folder / name, overfits=name == "bad") for name in ("bad", "good"))
