"""Distances of checkpoints from one another."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfav_cli.records.distances import are_same, distances, layer_distances


def reference(sketches: np.ndarray) -> list[float]:
    """In words: the length of the difference over the length of what was before."""
    result = [np.nan]
    for before, after in zip(sketches.tolist(), sketches[1:].tolist(), strict=False):
        pairs = [(a, b) for one, other in zip(before, after, strict=True) for a, b in zip(one, other, strict=True)]
        moved, length = sum((b - a) ** 2 for a, b in pairs) ** 0.5, sum(a * a for a, _ in pairs) ** 0.5
        result.append(0.0 if moved == 0 else moved / length if length else np.nan)
    return result


@given(arrays(np.float32, (4, 2, 3), elements=st.integers(-3, 3).map(float)))
def test_they_are_relative_to_the_weights_before(sketches: np.ndarray) -> None:
    np.testing.assert_allclose(distances(sketches), reference(sketches), rtol=1e-12)
    for layer, course in enumerate(layer_distances(sketches).T):
        np.testing.assert_allclose(course, reference(sketches[:, [layer]]), rtol=1e-12)


def test_a_layer_that_is_frozen_has_not_moved() -> None:
    sketches = np.ones((3, 2, 5), np.float32)
    sketches[1:, 1] = 2
    assert layer_distances(sketches)[1:].tolist() == [[0, 1], [0, 0]]
    assert distances(sketches)[2] == 0


def test_what_is_missing_or_infinite_has_no_distance() -> None:
    sketches = np.ones((6, 1, 5), np.float32)
    sketches[2] = np.nan
    sketches[4, 0, 1] = np.inf
    assert np.isfinite(distances(sketches)).tolist() == [False, True, False, False, False, False]


def test_no_epochs_or_layers() -> None:
    assert distances(np.zeros((0, 3, 5), np.float32)).shape == (0,)
    assert np.isnan(distances(np.zeros((2, 0, 5), np.float32))).all()


def test_the_same_weights_but_for_rounding() -> None:
    sketches = np.random.default_rng(0).standard_normal((2, 509)).astype(np.float32)
    assert are_same(sketches, sketches * np.float32(1 + 1e-7))
    assert are_same(sketches * 0, sketches * 0)
    moved = sketches.copy()
    moved[1, 3] += 0.01
    assert not are_same(sketches, moved)
    assert not are_same(sketches, sketches * np.nan)
