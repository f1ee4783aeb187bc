import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.diagnosis.overfitting import follow_loss
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import learning, overfitting, sample_losses

T = Thresholds()
EVERY = np.arange(-1, 40)


def follow(epochs, losses, smoothing=T.smoothing, rise=T.rise, margin=0.0):
    return follow_loss(epochs, losses, smoothing, share=rise, margin=margin)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("until", [8, 20, 30])
def test_the_onset_of_a_v_is_where_it_turns(until, seed):
    turning = 1.2 + 0.04 * np.abs(EVERY - until)
    course = follow(EVERY, sample_losses(turning, wobble=0.01, seed=seed))
    assert course.onset.epoch == pytest.approx(until, abs=2)
    assert course.onset.low <= course.onset.epoch <= course.onset.high
    assert course.probability > 0.99
    assert course.lowest <= min(course.first, course.last)


@pytest.mark.parametrize("step", [1, 2, 5, 10])
def test_sparse_checkpoints_find_the_nearest(step):
    epochs = np.arange(0, 101, step)
    course = follow(epochs, sample_losses(1.2 + 0.01 * np.abs(epochs - 40), wobble=0.005))
    assert course.onset.epoch == pytest.approx(40, abs=max(step, 4))
    assert course.probability > 0.99


def test_the_figures_are_those_of_the_smoothed_loss():
    losses = sample_losses(overfitting(EVERY, 15, 0.3), wobble=0.02)
    course, plain = follow(EVERY, losses), follow(EVERY, losses, smoothing=0.0)
    smoothed = [float(np.average(losses.mean(1), weights=np.exp(-((EVERY - e) ** 2) / (2 * 4)))) for e in EVERY]
    assert (course.first, course.lowest, course.last) == pytest.approx((smoothed[0], min(smoothed), smoothed[-1]))
    assert course.onset.epoch == EVERY[np.argmin(smoothed)]
    assert course.rise == pytest.approx(smoothed[-1] / min(smoothed) - 1)
    assert plain.lowest == pytest.approx(losses.mean(1).min())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("by", "sure"), [(0.3, True), (0.1, True), (0.0, False), (-0.2, False)])
def test_a_rise_is_sure_and_none_is_not(by, sure, seed):
    losses = sample_losses(overfitting(EVERY, 15, by), wobble=0.005, seed=seed)
    probability = follow(EVERY, losses).probability
    assert (probability >= T.certainty) == sure
    assert probability > 0.99 or not sure
    assert probability < 0.1 or sure


@pytest.mark.parametrize("wobble", [0.01, 0.03])
@pytest.mark.parametrize("step", [1, 2, 10])
@pytest.mark.parametrize("count", [10, 31, 100])
def test_a_plateau_that_wobbles_is_no_overfitting(count, step, wobble):
    epochs = np.arange(count) * step
    alarms = [
        follow(epochs, sample_losses(np.full(count, 1.2), wobble, seed)).probability >= T.certainty
        for seed in range(100)
    ]
    assert np.mean(alarms) <= 2 * (1 - T.certainty)


@pytest.mark.parametrize("wobble", [0.0, 0.02])
@pytest.mark.parametrize("step", [1, 10])
def test_learning_that_goes_on_is_no_overfitting(step, wobble):
    epochs = np.arange(31) * step
    alarms = [
        follow(epochs, sample_losses(learning(epochs, int(epochs[-1])), wobble, seed)).probability >= T.certainty
        for seed in range(100)
    ]
    assert np.mean(alarms) <= 2 * (1 - T.certainty)


def test_few_samples_are_less_sure_than_many():
    random = np.random.default_rng(0)
    noise = random.gamma(1.0, 1.0, (41, 4000)) - 1
    losses = overfitting(EVERY, 15, 0.05)[:, None] + noise
    few, many = follow(EVERY, losses[:, :50]), follow(EVERY, losses)
    assert abs(few.probability - 0.5) < abs(many.probability - 0.5)
    assert few.onset.high - few.onset.low >= many.onset.high - many.onset.low


def test_what_makes_a_sample_hard_changes_nothing():
    losses = sample_losses(overfitting(EVERY, 15, 0.06), wobble=0.01)
    hardness = 3 * np.random.default_rng(5).standard_normal(losses.shape[1])
    course, harder = follow(EVERY, losses), follow(EVERY, losses + hardness - hardness.mean())
    assert harder.onset == course.onset
    assert (harder.first, harder.lowest, harder.last) == pytest.approx((course.first, course.lowest, course.last))
    assert harder.probability == pytest.approx(course.probability, abs=0.02)


def test_one_loss_for_all_samples_will_do():
    losses = sample_losses(overfitting(EVERY, 15, 0.3), wobble=0.01).mean(1, keepdims=True)
    course = follow(EVERY, losses)
    assert course.onset.epoch == course.onset.low == course.onset.high
    assert course.probability > 0.99


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 20), st.floats(0.01, 100))
def test_holds_for_any_losses(seed, count, size, factor):
    random = np.random.default_rng(seed)
    epochs = np.sort(random.choice(300, count, replace=False)) - 1
    losses = random.gamma(1.0, 1.0, (count, size))
    course, order = follow(epochs, losses), random.permutation(size)
    assert 0 <= course.probability <= 1
    assert course.rise >= -1e-12
    assert {course.onset.epoch, course.onset.low, course.onset.high} <= set(epochs.tolist())
    assert course.onset.low <= course.onset.epoch <= course.onset.high
    scaled, later = follow(epochs, losses * factor), follow(epochs + 1000, losses)
    assert scaled.onset == course.onset
    assert scaled.probability == pytest.approx(course.probability, abs=1e-9)
    assert scaled.rise == pytest.approx(course.rise, abs=1e-9)
    assert later.onset.epoch == course.onset.epoch + 1000
    assert follow(epochs, losses[:, order]).onset.epoch == course.onset.epoch


@given(st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=20)
def test_a_larger_rise_to_be_shown_is_less_sure(one, other):
    losses = sample_losses(overfitting(EVERY, 15, 0.3), wobble=0.03)
    low, high = sorted((one, other))
    assert follow(EVERY, losses, rise=low).probability >= follow(EVERY, losses, rise=high).probability - 1e-9


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("by", "sure"), [(0.1, True), (0.0, False)])
def test_errors_rise_by_a_margin(seed, by, sure):
    """The accuracy falls by a share of the samples, or stays."""
    shares = 0.6 - 0.4 * np.clip(EVERY / 15, 0, 1) + by * np.clip((EVERY - 15) / 24, 0, 1)
    errors = (np.random.default_rng(seed).random(2000) < shares[:, None]).astype(float)
    course = follow(EVERY, errors, rise=0.0, margin=0.01)
    assert (course.probability >= T.certainty) == sure
    assert course.lowest == pytest.approx(0.2, abs=0.03)
    assert follow(EVERY, errors, rise=0.0, margin=by + 0.05).probability < 0.1


def test_a_minimum_in_the_first_epoch_may_have_been_before():
    rising = sample_losses(1 + 0.1 * (EVERY + 1.0))
    assert follow(EVERY, rising).onset.at_or_before
    assert not follow(EVERY, sample_losses(overfitting(EVERY, 15, 0.3))).onset.at_or_before


@pytest.mark.parametrize("losses", [np.zeros((6, 3)), np.ones((6, 3))])
def test_a_loss_that_never_moves(losses):
    course = follow(np.arange(6), losses)
    assert course.probability <= 0.5
    assert course.rise == pytest.approx(0)


@pytest.mark.parametrize("value", [0.1, 0.7, 1 / 3, 1.2345678, 1e-5, 300.0])
@pytest.mark.parametrize("epochs", [np.arange(6), np.arange(31) * 3, np.array([-1, 0, 1, 7, 30, 31])])
def test_rounding_is_no_rise(value, epochs):
    level = follow(epochs, value * (1 + np.arange(50) / 7) * np.ones((len(epochs), 1)), rise=0.0)
    assert level.probability <= 0.5
    ended = follow(epochs, value * np.linspace(2, 1, len(epochs))[:, None] * np.ones(50), rise=0.0)
    assert ended.probability <= 0.5
