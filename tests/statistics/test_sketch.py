"""The sketch of a layer's weights: linear, the same on every machine, and near enough to the weights themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.records import Layer, Settings
from rfav_cli.records.distances import SKETCH
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.sketch import BLOCK, SEED, Sketch, sketch_of

SIZES = st.sampled_from([1, 2, SKETCH - 1, SKETCH, SKETCH + 1, 20_000, BLOCK + 7])


def reference(weights: np.ndarray) -> np.ndarray:
    """A sign and a bucket a weight, one after the other, in float64."""
    bits = np.random.PCG64(SEED)
    sums, word = [0.0] * SKETCH, 0
    for place, weight in enumerate(weights.tolist()):
        if place % 64 == 0:
            word = int(bits.random_raw())
        byte = word >> (place % 64 // 8 * 8) & 0xFF  # little-endian, its highest bit first
        sums[place % SKETCH] += -weight if byte >> (7 - place % 8) & 1 else weight
    return np.array(sums)


def draw(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


@pytest.mark.parametrize("size", [1, 508, 509, 510, BLOCK - 1, BLOCK, BLOCK + 600])
def test_it_is_a_sum_of_signed_weights(size: int) -> None:
    weights = draw(size, size)
    np.testing.assert_allclose(sketch_of(weights), reference(weights), rtol=1e-5, atol=1e-4)


@settings(deadline=None, max_examples=25)
@given(SIZES, st.integers(0, 99), st.floats(-3, 3, width=32))
def test_it_is_linear(size: int, seed: int, factor: float) -> None:
    one, other = draw(seed, size), draw(seed + 100, size)
    together = sketch_of(one + np.float32(factor) * other)
    np.testing.assert_allclose(together, sketch_of(one) + factor * sketch_of(other), rtol=1e-4, atol=1e-3)


@settings(deadline=None, max_examples=25)
@given(SIZES, st.integers(0, 99))
def test_lengths_and_products_are_those_of_the_weights(size: int, seed: int) -> None:
    one, other = (draw(seed + place, size).astype(np.float64) for place in (0, 100))
    sketches = [sketch_of(weights.astype(np.float32)).astype(np.float64) for weights in (one, other)]
    most = 0 if size <= SKETCH else 5 / np.sqrt(SKETCH)  # five standard deviations
    scale = np.linalg.norm(one) * np.linalg.norm(other)
    assert abs(sketches[0] @ sketches[1] - one @ other) <= (1e-5 + most) * scale
    assert np.linalg.norm(sketches[0]) == pytest.approx(np.linalg.norm(one), rel=1e-5 + most)


@pytest.mark.parametrize("shape", [(64, 9 * 512), (16, SKETCH * 3), (400, 64)])
@pytest.mark.parametrize("kept", ["filters", "inputs"])
def test_few_filters_or_inputs_are_spread_over_all_buckets(shape: tuple[int, int], kept: str) -> None:
    weights = draw(1, shape[0] * shape[1]).reshape(shape)
    mask = np.zeros(shape, bool)
    mask[(slice(3), slice(None)) if kept == "filters" else (slice(None), slice(0, shape[1], 9))] = True
    moved = np.where(mask, weights, 0).ravel()
    assert np.linalg.norm(sketch_of(moved)) == pytest.approx(np.linalg.norm(moved), rel=0.15)


def test_a_weight_that_is_not_finite_is_not_hidden() -> None:
    for value in (np.nan, np.inf):
        weights = draw(0, 5000)
        weights[4321] = value
        assert not np.isfinite(sketch_of(weights)).all()


def test_each_layer_has_its_row_whatever_the_other_layers_are() -> None:
    layers = tuple(Layer(name, "Linear", 3, (3, 4), ()) for name in ("fc1", "fc2"))
    statistic = Sketch(Context(layers, 1, None, Settings()))
    weights = torch.arange(12.0)
    statistic.update_weights(1, weights)
    sketches = statistic.compute()["checkpoint/sketch"]
    assert (sketches.shape, sketches.dtype) == ((2, SKETCH), np.float32)
    assert np.isnan(sketches[0]).all()
    np.testing.assert_array_equal(sketches[1], sketch_of(weights.numpy()))
