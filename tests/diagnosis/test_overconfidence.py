"""Nets whose answers change more or less often than they doubt them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.diagnosis.overconfidence import RISEN, confident_predictions, follow_predictions
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import TOP, answers_of, make_history

T = Thresholds()
EVERY = np.arange(40)


def follow(epochs, given, **changed):
    return follow_predictions(epochs, *given, replace(T, **changed))


def flagged(epochs, given, **changed):
    return follow(epochs, given, **changed).probability >= T.certainty


def learning(epochs, ratio=0.7):
    """Ratio and doubt of a net that learns fast, then little: its answers change for good reason at first."""
    return ratio + 0.8 * np.exp(-epochs / 2), 0.1 + 0.35 * np.exp(-epochs / 6)


def overconfident(epochs, since, highest=2.0):
    """The same, but its ratio rises from an epoch to the last, while its doubt goes on falling."""
    ratio, doubt = learning(epochs)
    gone = np.clip((epochs - since) / (epochs[-1] - since), 0, 1)
    return ratio + (highest - 0.7) * gone, doubt * (1 - 0.5 * gone)


def ratio_slowly(epochs, predictions, confidences, sigma):
    """One loop a sum."""
    ratios = []
    for here in epochs[1:]:
        changed = doubt = 0.0
        for e in range(1, len(epochs)):
            weight = np.exp(-((epochs[e] - here) ** 2) / (2 * sigma**2)) if sigma else float(epochs[e] == here)
            for n in range(predictions.shape[1]):
                changed += weight * (predictions[e][n] != predictions[e - 1][n])
                doubt += weight * ((1 - confidences[e - 1][n]) + (1 - confidences[e][n])) / 2
        ratios.append(changed / doubt)
    return ratios


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 12), st.sampled_from([0.0, 0.5, 2.0, 10.0]))
def test_the_figures_are_those_of_a_loop(seed, count, size, sigma):
    random = np.random.default_rng(seed)
    epochs = np.sort(random.choice(60, count, replace=False))
    predictions, confidences = random.integers(0, 3, (count, size)), 0.3 + 0.69 * random.random((count, size))
    course = follow(epochs, (predictions, confidences), smoothing=sigma)
    slow = ratio_slowly(epochs, predictions, confidences, sigma)
    risen = [r if r >= RISEN * min(slow[: i + 1]) else 0.0 for i, r in enumerate(slow)]
    top = int(np.argmax(risen)) if any(risen) else len(slow) - 1
    assert course.epoch == epochs[1:][top]
    assert (course.highest, course.lowest, course.last) == pytest.approx((slow[top], min(slow[: top + 1]), slow[-1]))
    assert course.onset.low == epochs[1:][int(np.argmin(slow[: top + 1]))]


@pytest.mark.parametrize("ratio", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("doubt", [0.4, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("count", [10, 40, 300])
def test_a_net_that_changes_less_than_it_doubts_is_quiet(count, doubt, ratio):
    epochs = np.arange(count)
    alarms = [
        flagged(epochs, answers_of(np.full(count, ratio), np.full(count, doubt), 200, seed)) for seed in range(10)
    ]
    assert np.mean(alarms) <= 0.1


@pytest.mark.parametrize("count", [10, 40, 300])
def test_a_longer_plateau_at_the_limit_is_no_flag(count):
    alarms = [flagged(np.arange(count), answers_of(np.ones(count), np.full(count, 0.1), 200, s)) for s in range(60)]
    assert np.mean(alarms) <= 2 * (1 - T.certainty)


@pytest.mark.parametrize("size", [100, 1000])
@pytest.mark.parametrize("seed", range(10))
def test_learning_fast_is_quiet(seed, size):
    assert not flagged(EVERY, answers_of(*learning(EVERY), size, seed))


def test_a_ratio_that_falls_all_along_has_not_risen():
    course = follow(EVERY, answers_of(np.linspace(2.5, 1.2, 40), np.full(40, 0.2), 2000))
    assert course.probability == 0
    assert course.last > T.overconfidence


@pytest.mark.parametrize("seed", range(10))
def test_an_overconfident_net_is_flagged(seed):
    course = follow(EVERY, answers_of(*overconfident(EVERY, 15), seed=seed))
    assert course.probability > 0.99
    assert course.epoch >= 35
    assert course.highest == pytest.approx(1.9, abs=0.3)
    assert course.lowest == pytest.approx(0.7, abs=0.1)
    assert course.onset.low <= course.onset.epoch <= course.onset.high
    assert course.onset.epoch == pytest.approx(16, abs=4)
    assert course.onset.high == pytest.approx(15 + 25 * 0.3 / 1.3, abs=3)


@pytest.mark.parametrize(
    "epochs",
    [
        np.arange(0, 101, 5),
        np.array([*range(12), *range(25, 60)]),
        np.array([*range(12), *range(14, 40, 3), *range(100, 160, 10)]),
    ],
    ids=["every fifth", "a gap", "sparser and sparser"],
)
def test_epochs_that_were_not_measured(epochs):
    since = int(epochs[len(epochs) // 2])
    course = follow(epochs, answers_of(*overconfident(epochs, since)))
    assert course.probability > 0.99
    assert {course.onset.low, course.onset.epoch, course.onset.high, course.epoch} <= set(epochs.tolist())
    assert not any(flagged(epochs, answers_of(*learning(epochs), seed=seed)) for seed in range(10))


@pytest.mark.parametrize("doubt", [0.0, 1e-7, 0.3])
@pytest.mark.parametrize("count", [2, 5, 40])
def test_a_net_that_changes_nothing_is_quiet(count, doubt):
    with np.errstate(all="raise"):
        course = follow(np.arange(count), (np.full((count, 50), 3), np.full((count, 50), 1 - doubt)))
    assert (course.probability, course.highest, course.lowest, course.last) == (0, 0, 0, 0)


@pytest.mark.parametrize("changes", [1, 4])
def test_a_few_answers_of_a_net_that_is_sure_of_all_are_no_proof(changes):
    predictions = np.zeros((40, 1000), int)
    predictions[20:, :changes] = 1
    course = follow(EVERY, (predictions, np.ones((40, 1000))))
    assert course.probability < T.certainty
    assert np.isfinite([course.highest, course.lowest, course.last]).all()
    predictions[20:, :100] = 1
    assert flagged(EVERY, (predictions, np.ones((40, 1000))))


def test_two_epochs_have_no_rise():
    for seed in range(10):
        course = follow(np.array([3, 9]), answers_of(np.full(2, 3.0), np.full(2, 0.2), 100, seed))
        assert course.probability == 0
        assert course.onset.epoch == course.onset.low == course.onset.high == course.epoch == 9


def test_few_samples_are_less_sure_than_many():
    few, many = (follow(EVERY, answers_of(*overconfident(EVERY, 15, 1.3), size)) for size in (30, 3000))
    assert few.probability < T.certainty < many.probability


def test_the_limit_is_what_it_is_held_against():
    given = answers_of(*overconfident(EVERY, 15))
    one, other = (follow(EVERY, given, overconfidence=limit) for limit in (1.0, 2.5))
    assert one.probability > 0.99
    assert other.probability < 0.01
    assert one.highest == other.highest


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(2, 20), st.integers(1, 30), st.integers(2, 5))
def test_holds_for_any_answers(seed, count, size, classes):
    random = np.random.default_rng(seed)
    epochs = np.sort(random.choice(300, count, replace=False))
    predictions, confidences = random.integers(0, classes, (count, size)), random.random((count, size))
    course, order = follow(epochs, (predictions, confidences)), random.permutation(size)
    assert 0 <= course.probability <= 1
    assert {course.onset.low, course.onset.epoch, course.onset.high, course.epoch} <= set(epochs[1:].tolist())
    assert course.onset.low <= course.onset.epoch <= course.onset.high
    assert course.lowest <= course.highest
    mixed = follow(epochs, (predictions[:, order], confidences[:, order]))
    renamed = follow(epochs, (random.permutation(classes)[predictions], confidences))
    assert renamed == course
    assert mixed.onset == course.onset
    assert mixed.probability == pytest.approx(course.probability, abs=1e-9)
    later = follow(epochs + 1000, (predictions, confidences))
    assert (later.onset.epoch, later.highest) == (course.onset.epoch + 1000, pytest.approx(course.highest))


def stored(predictions, confidences, epochs=EVERY):
    return make_history(
        epochs,
        {"fc": np.full(len(epochs), TOP)},
        probe__sample_prediction=predictions,
        probe__sample_confidence=confidences,
    )


def test_the_answers_of_a_store_are_those_of_trained_checkpoints_that_are_whole():
    epochs = np.arange(-1, 39)
    predictions, confidences = answers_of(np.full(40, 0.5), np.full(40, 0.2), 20)
    kept_predictions, kept_confidences = predictions.copy(), confidences.copy()
    predictions[7, 3] = -1
    confidences[9, 0], confidences[11, :], confidences[20, 4] = np.nan, np.nan, np.inf
    found = confident_predictions(stored(predictions, confidences, epochs))
    left = np.delete(np.arange(40), [0, 7, 9, 11, 20])
    assert found is not None
    for one, other in zip(found, (epochs, kept_predictions, kept_confidences), strict=True):
        np.testing.assert_array_equal(one, other[left])


def test_epochs_that_were_written_without_answers_are_left_out():
    predictions, confidences = answers_of(np.full(40, 0.5), np.full(40, 0.2), 20)
    mixed = predictions.astype(float)
    mixed[:30], confidences[:30] = np.nan, np.nan
    found = confident_predictions(stored(mixed, confidences))
    assert found is not None
    np.testing.assert_array_equal(found[0], EVERY[30:])
    np.testing.assert_array_equal(found[1], predictions[30:])


@pytest.mark.parametrize("gone", ["probe/sample_prediction", "probe/sample_confidence"])
def test_a_store_without_answers_has_none(gone):
    history = stored(*answers_of(np.full(40, 0.5), np.full(40, 0.2), 20))
    del history.columns[gone]
    assert confident_predictions(history) is None
