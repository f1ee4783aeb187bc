"""Runs of other tasks than of one class: what is judged, and by which words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.diagnosis import judge, recommend
from rfav_cli.diagnosis.chance import find_chance
from rfav_cli.diagnosis.comparison import compare
from rfav_cli.diagnosis.divergence import find_divergence
from rfav_cli.diagnosis.limits import hold_against_limits
from rfav_cli.records import Policy
from rfav_cli.records.tasks import TASKS
from tests.diagnosis.conftest import falling, learning, make_history, overfitting, sample_losses

if TYPE_CHECKING:
    from rfav_cli.records import History

EPOCHS = np.arange(24)
ENTROPIES = {"conv1": falling(EPOCHS, 8, 0.0), "fc1": falling(EPOCHS, 8, 0.7)}


def run(task: str, means: np.ndarray, *, guessed: float = 3.0, loss: str = "", **columns: Any) -> History:
    """A run whose labels are not kept, and whose mean losses are given."""
    history = make_history(EPOCHS, ENTROPIES, sample_losses(means), **columns)
    probe = replace(history.run.probe, labels=None, unkept=True, guessed=guessed, guessed_right=0.6)
    if task == "regression":
        probe = replace(probe, guessed_right=np.nan)
    settings = replace(history.run.settings, task=task, loss=loss or TASKS[task].loss)
    return replace(history, run=replace(history.run, probe=probe, settings=settings))


@pytest.mark.parametrize("task", ["regression", "multilabel", "pixels"])
def test_a_rising_loss_is_overfitting_whatever_it_is_called(task: str) -> None:
    verdict = judge(run(task, overfitting(EPOCHS, 10, 0.8)))
    assert verdict.run.state == "overfitting"
    assert f"held-out {TASKS[task].loss}" in verdict.run.reason
    assert verdict.run.basis.startswith(f"held-out {TASKS[task].loss}")
    assert "benchmark were found" not in verdict.run.reason


def test_of_numbers_the_checkpoint_of_the_lowest_loss_is_kept_and_no_penalty_advised() -> None:
    history = run("regression", overfitting(EPOCHS, 10, 0.8))
    verdict = judge(history)
    assert verdict.advice is not None
    assert verdict.advice.keep == 10
    words = " ".join(step.words for step in verdict.advice.steps)
    assert "better than the last by mean squared error" in words
    assert "accuracy" not in words
    assert {step.kind for step in verdict.advice.steps} == {"keep", "instead"}
    assert recommend(history, verdict).layers


def test_a_share_of_tags_that_falls_is_knowledge_lost() -> None:
    right = np.clip(0.9 - 0.02 * np.maximum(EPOCHS - 8, 0), 0, 1)[:, None] + np.zeros((24, 200))
    verdict = judge(run("multilabel", learning(EPOCHS, 10), probe__sample_right=right, probe__accuracy=right.mean(1)))
    assert (verdict.run.state, verdict.run.kind) == ("overfitting", "lost knowledge")
    assert "tag accuracy 90.0% and 60.0%" in verdict.run.reason


def test_numbers_that_are_never_better_than_their_mean_show_no_learning() -> None:
    chance = find_chance(run("regression", np.full(24, 4.2), guessed=4.0))
    assert chance is not None
    assert chance.state == "not learning"
    assert "4 by the mean of the labels" in chance.words
    assert find_chance(run("regression", learning(EPOCHS, 10), guessed=4.0)) is None


def test_numbers_are_broken_only_where_the_same_is_told_of_all_samples() -> None:
    means = np.where(EPOCHS < 12, 1.0, 3.1)
    still = np.where(EPOCHS < 12, 1.5, 1e-6)
    chance = find_chance(run("regression", means, probe__prediction_spread=still))
    assert chance is not None
    assert (chance.state, chance.onset.epoch) == ("broken", 12)
    assert "the same for all samples" in chance.words
    assert find_chance(run("regression", means, probe__prediction_spread=np.full(24, 1.5))) is None


def test_tags_that_are_right_more_often_than_by_guessing_are_no_chance() -> None:
    assert find_chance(run("multilabel", np.full(24, 4.0), probe__accuracy=np.full(24, 0.9))) is None
    assert find_chance(run("multilabel", np.full(24, 4.0), probe__accuracy=np.full(24, 0.6))) is not None


def test_a_loss_in_other_units_has_the_bounds_of_its_labels() -> None:
    large = 1e6 * learning(EPOCHS, 10)
    assert find_divergence(run("regression", large, guessed=1e6)) is None
    assert find_divergence(run("other", large, guessed=np.nan, loss="mine:loss")) is None
    found = find_divergence(run("regression", np.where(EPOCHS < 20, 1.0, 1e6)))
    assert found is not None
    assert "beyond 1,000 times the variance of the labels" in found.words


def test_a_loss_below_zero_that_stays_is_no_overfitting() -> None:
    assert judge(run("other", learning(EPOCHS, 10) - 6, guessed=np.nan, loss="mine:loss")).run.state != "overfitting"
    risen = judge(run("other", overfitting(EPOCHS, 10, 0.8) - 6, guessed=np.nan, loss="mine:loss"))
    assert risen.run.state == "overfitting"
    assert "held-out loss mine:loss" in risen.run.reason


def test_losses_of_other_tasks_are_not_compared() -> None:
    one, other = run("regression", learning(EPOCHS, 10)), run("multilabel", learning(EPOCHS, 10))
    found = compare(one, other)
    assert found.best_loss is None
    assert found.last_accuracy is None
    assert any("--loss: mean squared error in A, cross-entropy a tag in B" in note for note in found.notes)
    same = compare(one, one)
    assert same.best_loss is not None
    assert (same.loss_words, same.figure) == ("held-out mean squared error", "")
    assert "mean squared error" in same.summary[0]
    assert " nat" not in same.summary[0]


def test_an_accuracy_that_no_task_has_cannot_be_held_against_a_limit() -> None:
    (found,) = hold_against_limits(run("regression", learning(EPOCHS, 10)), Policy(min_accuracy=0.5))
    assert (found.outcome, found.message) == ("missing", "the task regression has no accuracy")
