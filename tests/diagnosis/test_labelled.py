"""What a labelled probe tells: the loss, the loss after calibration and the accuracy, together."""

import re

import numpy as np
import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.diagnosis.labelled import follow_labelled
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import TOP, learning, make_history, overfitting, sample_losses

T = Thresholds()
EVERY, SINCE, SIZE = np.arange(-1, 40), 15, 1000
GONE = np.clip((EVERY - SINCE) / (39 - SINCE), 0, 1)


def labelled(loss=0.0, calibrated=0.0, accuracy=0.0, seed=0):
    """A run whose loss and calibrated loss rise by a share, and whose accuracy changes by so much, from epoch 15 on."""
    random = np.random.default_rng(seed)
    level = 0.3 + 0.4 * np.clip((EVERY + 1) / (SINCE + 1), 0, 1) + accuracy * GONE
    labels = np.arange(SIZE) % 10
    right = random.permutation(SIZE) / SIZE + 0.01 * random.standard_normal((len(EVERY), SIZE)) < level[:, None]
    predicted = np.where(right, labels, (labels + 1) % 10)
    return make_history(
        EVERY,
        {"fc": np.full(len(EVERY), TOP)},
        sample_losses(overfitting(EVERY, SINCE, loss), 0.003, seed, SIZE),
        probe__sample_calibrated_loss=sample_losses(overfitting(EVERY, SINCE, calibrated), 0.003, seed + 1, SIZE),
        probe__sample_prediction=predicted,
        probe__accuracy=right.mean(1),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("changes", "state", "kind"),
    [
        ({}, "healthy", None),
        ({"accuracy": 0.05}, "healthy", None),
        ({"loss": 0.5, "accuracy": 0.02}, "overfitting", "overconfidence"),
        ({"loss": 0.5, "calibrated": 0.2}, "overfitting", "lost knowledge"),
        ({"loss": 0.5, "accuracy": -0.08}, "overfitting", "lost knowledge"),
        ({"calibrated": 0.2}, "overfitting", "lost knowledge"),
        ({"accuracy": -0.08}, "overfitting", "lost knowledge"),
    ],
)
def test_kinds(changes, state, kind, seed):
    run = judge(labelled(**changes, seed=seed)).run
    assert (run.state, run.kind) == (state, kind)
    assert run.confidence >= T.certainty
    assert run.probability == pytest.approx(run.confidence if state == "overfitting" else 1 - run.confidence)
    if state == "overfitting":
        assert run.onset.epoch == pytest.approx(SINCE, abs=3)
        assert f"since epoch {run.onset.epoch}, by {kind}: held-out loss" in run.reason


def test_words_give_what_was_measured_at_the_onset_and_at_the_end():
    history = labelled(0.5, 0.02, 0.04)
    reason, row = judge(history).run.reason, int(judge(history).run.onset.epoch) + 1
    calibrated = history.columns["probe/sample_calibrated_loss"].mean(1)
    assert f"held-out loss {history.loss[row]:.3f} at epoch {EVERY[row]}, {history.loss[-1]:.3f} at the end" in reason
    assert f"after calibration {calibrated[row]:.3f} and {calibrated[-1]:.3f}" in reason
    assert f"accuracy {history.accuracy[row]:.1%} and {history.accuracy[-1]:.1%}" in reason


def test_a_kind_that_was_not_measured_is_not_said():
    history = labelled(0.5, 0.0, 0.02)
    del history.columns["probe/sample_calibrated_loss"]
    run = judge(history).run
    assert (run.state, run.kind) == ("overfitting", None)
    assert "after calibration" not in run.reason


def test_a_loss_of_knowledge_that_is_neither_sure_nor_surely_not_leaves_a_run_unclear():
    unclear = 0
    for seed in range(12):
        history = labelled(0.0, 0.0, -0.012 - 0.001 * seed, seed)
        courses, run = follow_labelled(history, T), judge(history).run
        between = 0.5 <= courses.errors.probability < T.certainty
        unclear += between
        assert (run.state == "unclear") == between
        if between:
            assert f"that the accuracy falls by 1 points is {courses.errors.probability:.0%} sure" in run.reason
            assert run.probability == courses.errors.probability
            assert run.confidence is None
    assert unclear


def test_epochs_whose_losses_are_not_finite_are_passed_over():
    history = labelled(0.5)
    history.columns["probe/sample_loss"][7, 3] = np.nan
    courses = follow_labelled(history, T)
    assert 6 not in courses.epochs
    assert len(courses.epochs) == len(courses.accuracies) == len(courses.measured) == 40


def test_too_few_finite_losses_are_nothing():
    history = make_history(EVERY, {}, sample_losses(learning(EVERY, 20)))
    history.columns["probe/sample_loss"][T.fewest - 1 :] = np.nan
    assert follow_labelled(history, T) is None


def short(losses, wobble=0.0):
    """A run of few epochs after the one before training, without calibration and predictions."""
    epochs = np.arange(-1, len(losses) - 1)
    return make_history(
        epochs, {"fc": np.full(len(losses), TOP)}, sample_losses(np.array(losses), wobble, size=SIZE, seed=1)
    )


@pytest.mark.parametrize("rise", [0.04, 0.06, 0.09])
@pytest.mark.parametrize(
    "before", [[2.3, 1.9, 1.6, 1.42, 1.31, 1.26], [2.3, 1.8, 1.6, 1.5, 1.42, 1.36, 1.32, 1.30, 1.29]]
)
def test_a_rise_over_the_last_epochs_of_a_short_run_is_not_called_healthy(before, rise):
    losses = [*before, *(before[-1] * (1 + rise * share) for share in (0.4, 0.7, 1.0))]
    for run in (judge(short(losses)).run, judge(short(losses), Thresholds(smoothing=0.5)).run):
        assert run.state in {"unclear", "overfitting"}


def test_a_short_run_that_falls_to_its_end_is_healthy_with_a_little_noise():
    run = judge(short([2.3, 1.9, 1.65, 1.5, 1.4, 1.33, 1.28, 1.24, 1.21, 1.19], 0.004)).run
    assert (run.state, run.confidence) == ("healthy", pytest.approx(1, abs=0.1))


def test_a_leap_in_the_last_epoch_of_a_short_run_is_neither_noise_nor_a_rise_for_sure():
    falling = [1.15 + 1.15 * 0.72**epoch for epoch in range(15)]
    run = judge(short([*falling, falling[-1] * 1.05])).run
    assert run.state == "unclear"
    assert run.probability < 1 - T.certainty
    assert re.search(r"that the loss rises by 2% is 9\d% sure as measured and [34]% smoothed", run.reason)
    assert "too few epochs to tell a rise from noise" in run.reason


def test_a_long_run_is_judged_by_its_smoothed_loss_alone():
    history = labelled()
    assert follow_labelled(history, T).unsmoothed is None
    assert follow_labelled(short([2.3, 1.9, 1.6, 1.5, 1.4, 1.3]), T).unsmoothed is not None
    assert follow_labelled(short([2.3, 1.9, 1.6, 1.5, 1.4, 1.3]), Thresholds(smoothing=0.0)).unsmoothed is None
