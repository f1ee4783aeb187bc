"""Checkpoints that disagree more or less often than they are unsure."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.diagnosis.disagreement import (
    LATEST,
    TENTH,
    confident_predictions,
    follow_disagreement,
    left_out,
    ratio_words,
)
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import TOP, answers_of, calibrated_predictions, make_history

T = Thresholds()
EVERY = np.arange(40)


def follow(epochs, given, **changed):
    return follow_disagreement(epochs, *given, replace(T, **changed))


def flagged(epochs, given, **changed):
    return follow(epochs, given, **changed).probability >= T.certainty


def slow_ratios(predictions, confidences):
    """One loop a sum: the ratio of each pair of which one is among the last."""
    count, size = predictions.shape
    ratios = {}
    for second in range(max(count - LATEST, 1), count):
        for first in range(left_out(count), second):
            differs = sum(predictions[first][n] != predictions[second][n] for n in range(size)) / size
            allowed = sum((1 - confidences[first][n]) + (1 - confidences[second][n]) for n in range(size)) / size
            ratios[first, second] = differs / allowed
    return ratios


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 12))
def test_the_figures_are_those_of_a_loop(seed, count, size):
    random = np.random.default_rng(seed)
    epochs = np.sort(random.choice(60, count, replace=False))
    predictions, confidences = random.integers(0, 3, (count, size)), 0.3 + 0.69 * random.random((count, size))
    course = follow(epochs, (predictions, confidences))
    slow = slow_ratios(predictions, confidences)
    rows = tuple(int(np.flatnonzero(epochs == epoch)[0]) for epoch in (course.first, course.second))
    assert course.ratio == pytest.approx(sorted(slow.values())[int(TENTH * (len(slow) - 1))])
    assert slow[rows] == pytest.approx(course.ratio)
    assert course.disagreement / course.allowed == pytest.approx(course.ratio)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("uncertainty", [0.5, 0.2, 0.05])
def test_calibrated_checkpoints_are_not_flagged_even_if_they_have_nothing_in_common(uncertainty, seed):
    """Each is right as often as it says; two of them disagree on what either is wrong on, or on less."""
    course = follow(EVERY, calibrated_predictions(40, uncertainty, seed=seed), disagreement=1.0)
    assert course.probability < T.certainty


@pytest.mark.parametrize("seed", range(10))
def test_checkpoints_that_say_half_of_their_uncertainty_are_flagged(seed):
    predictions, confidences = calibrated_predictions(40, 0.2, seed=seed)
    course = follow(EVERY, (predictions, 1 - (1 - confidences) / 2))
    assert course.probability > 0.99
    assert course.second >= EVERY[-LATEST]
    assert course.onset.low <= course.onset.epoch <= course.onset.high


def test_checkpoints_that_are_wrong_alike_are_not_seen():
    """What memorised noise looks like where it is always the same: no evidence, not evidence against."""
    predictions = np.tile(np.random.default_rng(0).integers(0, 10, 500), (40, 1))
    course = follow(EVERY, (predictions, np.full((40, 500), 0.99)))
    assert (course.ratio, course.probability) == (0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_onset_is_where_the_ratio_begins_to_rise(seed):
    """Uncertainty as it should be up to epoch 15, and less and less of it from there on."""
    predictions, confidences = calibrated_predictions(40, 0.3, seed=seed)
    kept = np.where(EVERY < 15, 1.0, np.exp(-(EVERY - 15) / 4))
    course = follow(EVERY, (predictions, 1 - (1 - confidences) * kept[:, None]), disagreement=2.0)
    assert course.onset.epoch == pytest.approx(15, abs=5)
    assert course.onset.low <= course.onset.epoch <= course.onset.high <= 39


@pytest.mark.parametrize("doubt", [0.0, 1e-7, 0.3])
@pytest.mark.parametrize("count", [2, 5, 40])
def test_a_net_that_changes_nothing_is_quiet(count, doubt):
    with np.errstate(all="raise"):
        course = follow(np.arange(count), (np.full((count, 50), 3), np.full((count, 50), 1 - doubt)))
    assert (course.probability, course.ratio) == (0, 0)


@pytest.mark.parametrize("changes", [1, 100])
def test_predictions_of_a_net_that_is_sure_of_all_are_held_against_nothing(changes):
    predictions = np.zeros((40, 1000), int)
    predictions[20:, :changes] = 1
    course = follow(EVERY, (predictions, np.ones((40, 1000))))
    assert (course.probability >= T.certainty) == (changes > 1)
    assert np.isfinite([course.ratio, course.allowed]).all()
    assert ratio_words(course.ratio) == "over 100"


def test_few_samples_are_less_sure_than_many():
    few, many = (
        follow(EVERY[:6], (predictions[:6], 1 - 0.72 * (1 - confidences[:6])), disagreement=1.0)
        for predictions, confidences in (calibrated_predictions(40, 0.2, size) for size in (30, 5000))
    )
    assert few.probability < many.probability


def test_the_limit_is_what_it_is_held_against():
    given = calibrated_predictions(40, 0.2)
    one, other = (follow(EVERY, given, disagreement=limit) for limit in (0.1, 2.5))
    assert one.probability > 0.99
    assert other.probability < 0.01
    assert one.ratio == other.ratio


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(2, 20), st.integers(1, 30), st.integers(2, 5))
def test_holds_for_any_predictions(seed, count, size, classes):
    random = np.random.default_rng(seed)
    epochs = np.sort(random.choice(300, count, replace=False))
    predictions, confidences = random.integers(0, classes, (count, size)), random.random((count, size))
    course, order = follow(epochs, (predictions, confidences)), random.permutation(size)
    assert 0 <= course.probability <= 1
    assert {course.onset.low, course.onset.epoch, course.onset.high, course.first, course.second} <= set(
        epochs.tolist()
    )
    assert course.onset.low <= course.onset.epoch <= course.onset.high
    assert course.first < course.second
    mixed = follow(epochs, (predictions[:, order], confidences[:, order]))
    renamed = follow(epochs, (random.permutation(classes)[predictions], confidences))
    assert renamed == course
    assert mixed.ratio == pytest.approx(course.ratio)
    later = follow(epochs + 1000, (predictions, confidences))
    assert (later.onset.epoch, later.ratio) == (course.onset.epoch + 1000, pytest.approx(course.ratio))


def test_many_checkpoints_take_no_longer_than_they_should():
    """All pairs of 1,500 would be a million; the onset is sought among some of them."""
    course = follow(np.arange(1500), calibrated_predictions(1500, 0.2, 50))
    assert course.onset.epoch in range(1500)


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


def test_the_first_checkpoints_of_a_short_run_are_left_out_as_well():
    assert [left_out(count) for count in (2, 5, 8, 20, 40)] == [0, 2, 4, 4, 8]
