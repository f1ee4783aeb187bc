import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.diagnosis.curves import Smoothing, SmoothingMatrix, above_zero, median, sigma_within, smoothed

EPOCHS = st.lists(st.integers(-1, 300), min_size=1, max_size=30, unique=True).map(lambda found: np.array(sorted(found)))
SIGMAS = st.floats(0.1, 50)


def smoothing_matrix(epochs, sigma):
    return SmoothingMatrix(epochs, sigma) @ np.eye(len(epochs))


def smooth_slowly(epochs, values, sigma):
    smoothed = []
    for here in epochs:
        weights = [math.exp(-((here - there) ** 2) / (2 * sigma**2)) for there in epochs]
        smoothed.append(sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights))
    return np.array(smoothed)


@given(EPOCHS, SIGMAS, st.integers(0, 9))
def test_smooths_as_a_loop_does(epochs, sigma, seed):
    values = np.random.default_rng(seed).standard_normal(len(epochs))
    np.testing.assert_allclose(
        smoothing_matrix(epochs, sigma) @ values, smooth_slowly(epochs, values, sigma), atol=1e-12
    )


@given(EPOCHS, st.one_of(st.just(0.0), SIGMAS))
def test_a_level_curve_stays_as_it_is(epochs, sigma):
    matrix = smoothing_matrix(epochs, sigma)
    np.testing.assert_allclose(matrix.sum(1), 1)
    assert (matrix >= 0).all()


@given(EPOCHS)
def test_without_sigma_nothing_is_smoothed(epochs):
    np.testing.assert_array_equal(smoothing_matrix(epochs, 0.0), np.eye(len(epochs)))


@pytest.mark.parametrize(
    ("epochs", "sigma"),
    [([7], 0.0), ([-1, 0, 1, 2, 3, 4, 5, 6, 7], 0.8), ([20, 30], 1.0), ([0, 20], 2.0), ([0, 90], 2.0)],
)
def test_a_short_run_is_smoothed_over_a_tenth_of_what_it_spans(epochs, sigma):
    found = np.array(epochs)
    assert sigma_within(found, 2.0) == pytest.approx(sigma)
    np.testing.assert_array_equal(
        Smoothing.over(found, 2.0).matrix @ np.eye(len(found)), smoothing_matrix(found, sigma)
    )
    assert sigma_within(found, 0.0) == 0


def test_a_curve_is_smoothed_where_it_is_finite():
    values = np.array([1.0, np.nan, 3.0, 2.0])
    curve = smoothed(np.array([0, 5, 10, 12]), values, 2.0)
    assert np.isnan(curve).tolist() == [False, True, False, False]
    np.testing.assert_allclose(curve[[0, 2, 3]], smoothing_matrix(np.array([0, 10, 12]), 1.2) @ values[[0, 2, 3]])
    assert np.isnan(smoothed(np.array([0, 1]), np.full(2, np.nan), 2.0)).all()


def test_a_gap_counts_as_long_as_it_is():
    epochs = np.array([0, 1, 2, 50, 51])
    weights = smoothing_matrix(epochs, 2.0)
    assert weights[:3, 3:].max() < 1e-100
    assert weights[2, 1] == pytest.approx(weights[2, 2] * math.exp(-1 / 8))
    np.testing.assert_allclose(smoothing_matrix(epochs + 7, 2.0), weights)


@pytest.mark.parametrize("sigma", [0.0, 0.5, 2.0, 60.0])
def test_a_long_run_is_smoothed_in_parts_and_no_other_than_in_one(sigma):
    epochs = np.cumsum(np.random.default_rng(1).integers(1, 5, 700))
    values = np.random.default_rng(2).standard_normal((700, 2))
    matrix = SmoothingMatrix(epochs, sigma)
    dense = np.eye(700)
    if sigma:
        dense = np.exp(-0.5 * ((epochs[:, None] - epochs) / sigma) ** 2)
        dense /= dense.sum(1, keepdims=True)
    np.testing.assert_allclose(matrix @ values, dense @ values, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(matrix.squares, (dense**2).sum(1), rtol=1e-12)
    np.testing.assert_allclose(matrix.diagonal, np.diag(dense), rtol=1e-12)


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("step", [1, 3, 10, 100])
@pytest.mark.parametrize("count", [15, 31, 200])
def test_the_size_of_white_noise_is_found(sigma, step, count):
    smoothing = Smoothing.over(np.arange(count) * step, sigma)
    found = [smoothing.noise(0.3 * np.random.default_rng(seed).standard_normal(count)) for seed in range(100)]
    assert np.mean(found) == pytest.approx(0.3, rel=0.3)


def test_a_smooth_course_is_hardly_noise():
    epochs = np.arange(40)
    course = 1.2 + 1.1 * np.exp(-epochs / 8)
    noise = 0.02 * np.random.default_rng(0).standard_normal(40)
    smoothing = Smoothing.over(epochs, 2.0)
    assert smoothing.noise(course) < 0.01
    assert smoothing.noise(course + noise) == pytest.approx(smoothing.noise(noise), rel=0.3)


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [2.0] * 30])
def test_what_does_not_wobble_has_no_noise(values):
    assert Smoothing.over(np.arange(len(values)), 2.0).noise(np.array(values)) == pytest.approx(0, abs=1e-12)


@given(st.floats(0.1, 100), st.floats(-5, 5))
def test_noise_scales_with_the_curve(factor, offset):
    values = np.random.default_rng(1).standard_normal(31)
    smoothing = Smoothing.over(np.arange(31), 2.0)
    assert smoothing.noise(factor * values + offset) == pytest.approx(factor * smoothing.noise(values))


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize(("step", "count"), [(1, 31), (1, 200), (10, 31)])
def test_what_seems_to_rise_on_a_plateau(step, count, share):
    epochs, random = np.arange(count) * step, np.random.default_rng(7)
    smoothing = Smoothing.over(epochs, 2.0)
    rises = []
    for _ in range(2000):
        curve = smoothing.matrix @ (1 + 0.02 * random.standard_normal(count))
        rises.append((curve[-1] - 1) - (1 + share) * (curve.min() - 1))
    mean, spread = smoothing.seeming_rise(np.ones(count), 0.02, share)
    assert mean == pytest.approx(np.mean(rises), rel=0.15)
    assert spread == pytest.approx(np.std(rises), rel=0.15)


def test_a_curve_that_still_falls_does_not_seem_to_rise():
    falling = np.linspace(2, 1, 31)
    smoothing = Smoothing.over(np.arange(31), 2.0)
    assert smoothing.seeming_rise(falling, 0.0) == (0.0, 0.0)
    assert smoothing.seeming_rise(falling, 0.01)[0] < smoothing.seeming_rise(np.ones(31), 0.01)[0] / 2
    assert smoothing.seeming_rise(np.ones(31), 0.01, begin=30)[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("step", "count", "sigma"), [(1, 10, 2.0), (1, 40, 2.0), (5, 40, 2.0), (1, 300, 2.0), (1, 40, 0.0)]
)
def test_how_high_the_highest_of_a_level_curve_lies(step, count, sigma):
    smoothing, random = Smoothing.over(np.arange(count) * step, sigma), np.random.default_rng(3)
    curves = smoothing.matrix @ random.standard_normal((count, 4000))
    highest = (curves / curves.std(1, keepdims=True)).max(0).mean()
    assert smoothing.seeming_height() == pytest.approx(highest, abs=0.15)


def test_one_point_has_no_other_to_be_higher_than():
    assert Smoothing.over(np.arange(1), 2.0).seeming_height() == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_the_median_is_numpys(values):
    assert median(np.array(values)) == pytest.approx(np.median(values))


def test_probabilities_are_those_of_a_normal_error():
    draws = 0.4 + 0.5 * np.random.default_rng(0).standard_normal(100_000)
    assert above_zero(0.4, 0.5) == pytest.approx((draws > 0).mean(), abs=0.01)
    assert above_zero(0.0, 0.5) == 0.5
    assert (above_zero(1e-9, 0), above_zero(0.0, 0), above_zero(-1e-9, 0)) == (1, 0, 0)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_probabilities_of_both_signs_sum_to_one(estimate, error):
    assert above_zero(estimate, error) + above_zero(-estimate, error) == pytest.approx(1)
