"""The same function in other weights: what is said of a run, of each of its layers and what to do about it stays."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli import diagnosis

SAMPLES = Path(__file__).parents[2] / "sample_models"
LAYERS = ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2")
EPOCHS = (-1, 2, 5, 8, 10, 11, 12, 14, 18, 22, 25, 27)


def by_layer(random: np.random.Generator, width: int) -> np.ndarray:
    return np.full(width, np.exp(random.uniform(-3, 3)))


def by_neuron(random: np.random.Generator, width: int) -> np.ndarray:
    return np.exp(random.uniform(-3, 3, width))


def rescaled(state: dict[str, torch.Tensor], factors: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Each filter times its factor, and what reads it through a ReLU divided by it."""
    state = {name: value.clone() for name, value in state.items()}
    for layer, following in pairwise(LAYERS):
        factor = torch.from_numpy(factors[layer]).float()
        weight, following_weight = state[f"{layer}.weight"], state[f"{following}.weight"]
        state[f"{layer}.weight"] = weight * factor.view(-1, *[1] * (weight.ndim - 1))
        state[f"{layer}.bias"] = state[f"{layer}.bias"] * factor
        each = following_weight.shape[1] // len(factor)  # positions of a channel, where they are flattened
        spread = factor.repeat_interleave(each).view(1, -1, *[1] * (following_weight.ndim - 2))
        state[f"{following}.weight"] = following_weight / spread
    return state


def measured(folder: Path, out: Path) -> rfav_cli.History:
    probe = out.parent / "probe.npz"
    with np.load(SAMPLES / "probe.npz") as arrays:
        np.savez(probe, images=arrays["images"][:300], labels=arrays["labels"][:300])
    return rfav_cli.analyze(folder, model="sample_models.net:make_net", probe=probe, out=out)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, rfav_cli.History]:
    folder = tmp_path_factory.mktemp("original")
    (folder / "run").mkdir()
    for epoch in EPOCHS:
        (path,) = (SAMPLES / "overfit").glob(f"*_{epoch}.pt" if epoch < 0 else f"*_{epoch:03d}.pt")
        (folder / "run" / path.name).write_bytes(path.read_bytes())
    return folder / "run", measured(folder / "run", folder / "rfav.h5")


@pytest.mark.parametrize("draw", [by_layer, by_neuron])
def test_rescaling_changes_no_state_and_no_recipe(original, tmp_path, draw):
    folder, before = original
    random = np.random.default_rng(0)
    widths = {layer.name: layer.channels for layer in before.run.layers}
    factors = {name: draw(random, widths[name]) for name in LAYERS[:-1]}
    (tmp_path / "run").mkdir()
    for path in folder.iterdir():
        torch.save(rescaled(torch.load(path, weights_only=True), factors), tmp_path / "run" / path.name)
    after = measured(tmp_path / "run", tmp_path / "rfav.h5")
    np.testing.assert_allclose(after.loss, before.loss, rtol=1e-5)
    assert not np.allclose(after.entropy, before.entropy, rtol=0.1)
    one, other = diagnosis.judge(before), diagnosis.judge(after)
    assert one.run.state == "overfitting"
    assert {layer.state for layer in one.layers} >= {"stable", "collapsed"}
    assert (other.run.state, other.run.kind, other.run.onset) == (one.run.state, one.run.kind, one.run.onset)
    for layer, same in zip(one.layers, other.layers, strict=True):
        assert (same.name, same.state) == (layer.name, layer.state)
        assert (same.fall, same.scale, same.shape) == pytest.approx((layer.fall, layer.scale, layer.shape), abs=0.01)
    recipes = [diagnosis.recommend(history, verdict) for history, verdict in ((before, one), (after, other))]
    aims = [[(layer.name, layer.lambda_, layer.kappa) for layer in recipe.layers] for recipe in recipes]
    assert aims[0] == aims[1]
    assert recipes[0].rewind == recipes[1].rewind
