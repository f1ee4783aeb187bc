"""Predictions that change when an image is moved a little, more or less often than the net is unsure."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.diagnosis import judge
from rfav_cli.diagnosis.disagreement import LATEST
from rfav_cli.diagnosis.moved import course_of_moved, follow_moved
from rfav_cli.diagnosis.track_record import CONFIDENCE
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import TOP, calibrated_predictions, make_history

T = Thresholds()
EVERY, SIZE = np.arange(30), 500


def two_ways(uncertainty, said=1.0, seed=0, count=30):
    """(E, N) of predictions that are right as often as they say, or unsure of `said` times what they should be."""
    first, second = (calibrated_predictions(count, uncertainty, SIZE, seed + 100 * way) for way in (1, 2))
    allowed = np.clip(said * (1 - first[1]), 0, 1) + np.clip(said * (1 - second[1]), 0, 1)
    return (first[0] != second[0]).astype(np.uint8), allowed


def history_of(differs, allowed, **columns):
    """A run whose checkpoints agree on all, so that moved images alone speak."""
    shape = differs.shape
    return make_history(
        np.arange(len(differs)),
        {"fc": np.full(len(differs), 0.9 * TOP)},
        probe__sample_prediction=np.tile(np.arange(shape[1]) % 10, (len(differs), 1)),
        probe__sample_confidence=np.full(shape, 0.9),
        moved__sample_disagreement=differs,
        moved__sample_uncertainty=allowed,
        **columns,
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 12), st.integers(1, 12))
def test_the_figures_are_those_of_a_loop(seed, count, size):
    random = np.random.default_rng(seed)
    differs, allowed = random.integers(0, 2, (count, size)), 0.01 + 1.9 * random.random((count, size))
    course = course_of_moved(np.arange(count), differs, allowed, T)
    last = range(max(count - LATEST, 0), count)
    disagreement = sum(int(differs[row][n]) for row in last for n in range(size)) / (len(last) * size)
    unsure = sum(float(allowed[row][n]) for row in last for n in range(size)) / (len(last) * size)
    assert (course.disagreement, course.allowed) == pytest.approx((disagreement, unsure))
    assert course.ratio == pytest.approx(disagreement / unsure)
    assert (course.probability > 0.5) == (course.ratio > T.moved) or course.probability in (0, 0.5, 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("uncertainty", [0.5, 0.2, 0.05])
def test_a_calibrated_net_changes_its_mind_no_more_often_than_it_is_unsure(uncertainty, seed):
    course = course_of_moved(EVERY, *two_ways(uncertainty, seed=seed), replace(T, moved=1.0))
    assert course.probability < T.certainty


@pytest.mark.parametrize("seed", range(5))
def test_a_net_that_says_half_of_its_uncertainty_is_flagged(seed):
    differs, allowed = two_ways(0.2, said=0.5, seed=seed)
    run = judge(history_of(differs, allowed)).run
    assert (run.state, run.basis, run.kind) == ("overfitting", CONFIDENCE, None)
    figures = re.search(
        r"; moved a little two ways, (\S+)% of the images are predicted differently in the last epochs, and both "
        r"predictions are unsure of (\S+)% together, a ratio of (\S+) \(limit 0\.6\)",
        run.reason,
    )
    assert figures
    expected = 100 * differs[-LATEST:].mean(), 100 * allowed[-LATEST:].mean()
    assert [float(figure) for figure in figures.groups()[:2]] == pytest.approx(expected, abs=0.06)


def test_the_onset_is_where_the_ratio_begins_to_rise():
    calm, sure = two_ways(0.2, said=3), two_ways(0.2, said=0.6)
    rows = EVERY < 12
    differs, allowed = (np.where(rows[:, None], one, other) for one, other in zip(calm, sure, strict=True))
    course = course_of_moved(EVERY, differs, allowed, T)
    assert course.onset.low <= course.onset.epoch <= course.onset.high
    assert course.onset.epoch == pytest.approx(11, abs=4)


def test_images_that_are_predicted_alike_are_no_evidence_against():
    run = judge(history_of(np.zeros((30, SIZE), np.uint8), np.full((30, SIZE), 0.1))).run
    assert (run.state, run.probability) == ("unclear", None)
    assert "no evidence either way" in run.reason


@pytest.mark.parametrize("gone", ["disagreement", "uncertainty"])
def test_without_moved_images_there_is_nothing_to_follow(gone):
    history = history_of(*two_ways(0.2, said=0.5))
    columns = {name: column for name, column in history.columns.items() if name != f"moved/sample_{gone}"}
    assert follow_moved(replace(history, columns=columns), T) is None


def test_too_few_epochs_or_a_last_one_that_is_not_finite_are_not_judged():
    history = history_of(*two_ways(0.2, said=0.5))
    assert follow_moved(history, T)
    assert follow_moved(history, replace(T, fewest=31)) is None
    history.columns["moved/sample_uncertainty"][-1, 3] = np.nan
    assert follow_moved(history, T) is None


def test_an_epoch_that_is_not_finite_in_the_middle_is_passed_over():
    history = history_of(*two_ways(0.2, said=0.5))
    before = follow_moved(history, T)
    history.columns["moved/sample_uncertainty"][10] = np.nan
    after = follow_moved(history, T)
    assert before
    assert after
    assert after.ratio == before.ratio


def test_a_move_that_leaves_nothing_of_an_image_is_no_evidence():
    """Noise, whose predictions change as often as those of any two images."""
    differs = (np.random.default_rng(0).random((30, SIZE)) < 0.88).astype(np.uint8)
    history = history_of(differs, np.full((30, SIZE), 0.2))  # ten classes: any two images differ in nine of ten cases
    assert follow_moved(history, T) is None
    differs[-LATEST:] = (np.random.default_rng(0).random((LATEST, SIZE)) < 0.7).astype(np.uint8)
    assert follow_moved(history_of(differs, np.full((30, SIZE), 0.2)), T)


def test_a_probe_of_few_samples_does_not_tell_without_labels():
    differs, allowed = two_ways(0.2, said=0.5)
    run = judge(history_of(differs[:, :24], allowed[:, :24])).run
    assert run.state == "unclear"
    assert "24 samples are too few to tell" in run.reason
