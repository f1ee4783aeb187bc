"""The rules that say what a training really did."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.detection import truth
from benchmarks.detection.truth import (
    Curves,
    Truth,
    best_temperature,
    calibrated_loss,
    losses_at,
    onset_by_loss,
    outcome,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCHS = np.arange(-1, 30)
LEARNT = 0.6 - 0.5 * np.exp(-(EPOCHS + 1) / 3)
"""Accuracies of ten classes, from chance on."""
FALLING = 2.0 - 0.01 * EPOCHS
VALLEY = 1 + ((EPOCHS - 12) / 20) ** 2


def found(
    losses: NDArray[np.float64],
    accuracies: NDArray[np.float64] = LEARNT,
    calibrated: NDArray[np.float64] | None = FALLING,
) -> Truth:
    return outcome(Curves(EPOCHS, losses, accuracies, calibrated, classes=10, images=3000))


def test_the_rules_owe_nothing_to_the_code_under_test() -> None:
    source = Path(truth.__file__).read_text(encoding="utf-8")
    modules = {
        name
        for node in ast.walk(ast.parse(source))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert modules == {"__future__", "math", "dataclasses", "typing", "numpy", "numpy.typing"}
    assert (truth.SIGMA, truth.RISE, truth.CALIBRATED_RISE) == (2.0, 0.02, 0.01)
    assert (truth.FALL, truth.FALL_ERRORS, truth.CHANCE_ERRORS) == (0.015, 2.0, 4.0)


def test_a_loss_with_a_known_minimum_overfits_from_there() -> None:
    valley = found(VALLEY)
    assert (valley.state, valley.kind, valley.onset) == ("overfitting", "overconfidence", 12)
    assert found(VALLEY, calibrated=None).kind is None
    assert found(FALLING).state == "healthy"
    assert found(np.where(EPOCHS < 20, 2 - 0.05 * EPOCHS, 1.005)).state == "healthy"


@pytest.mark.parametrize("losses", [VALLEY, FALLING, np.where(EPOCHS < 29, VALLEY, np.nan)])
def test_where_the_loss_alone_is_known_its_rule_gives_the_onset(losses: NDArray[np.float64]) -> None:
    assert onset_by_loss(EPOCHS, losses) == found(losses).onset


def test_knowledge_is_lost_where_the_calibrated_loss_rises_or_the_accuracy_falls() -> None:
    assert found(VALLEY, calibrated=VALLEY).kind == "lost knowledge"
    by_calibration = found(FALLING, calibrated=VALLEY)
    assert (by_calibration.state, by_calibration.kind, by_calibration.onset) == ("overfitting", "lost knowledge", 12)
    falls = LEARNT - 0.002 * np.maximum(EPOCHS - 12, 0)
    by_accuracy = found(FALLING, falls)
    assert (by_accuracy.state, by_accuracy.kind) == ("overfitting", "lost knowledge")
    assert abs((by_accuracy.onset or 0) - EPOCHS[np.argmax(falls)]) <= 2
    assert found(FALLING, LEARNT - 0.001 * np.maximum(EPOCHS - 12, 0)).state == "healthy"


def test_two_standard_errors_and_a_point_and_a_half_are_what_an_accuracy_can_fall() -> None:
    error = math.sqrt(0.6 * 0.4 / 3000)
    for fall, state in ((2 * error - 1e-3, "healthy"), (2 * error + 1e-3, "overfitting")):
        step = np.where(EPOCHS < 0, 0.1, np.where(EPOCHS < 15, 0.6, 0.6 - fall))
        assert found(FALLING, step).state == state


def test_a_net_at_chance_has_not_learnt_whatever_its_loss_does() -> None:
    assert found(FALLING, np.full(len(EPOCHS), 0.11)).state == "not learning"
    assert found(VALLEY, np.full(len(EPOCHS), 0.11)).state == "not learning"
    # Untrained, a net may guess a little better than chance, and so may one that has learnt nothing since.
    assert found(FALLING, np.full(len(EPOCHS), 0.14)).state == "not learning"
    assert found(FALLING, np.where(EPOCHS < 0, 0.1, 0.14)).state == "healthy"


def test_a_net_that_knew_the_classes_before_is_above_chance_from_the_start() -> None:
    assert found(FALLING, np.full(len(EPOCHS), 0.5)).state == "healthy"


def test_a_net_that_ends_at_chance_is_broken_since_it_fell_there() -> None:
    broken = found(VALLEY, np.where(EPOCHS < 10, LEARNT, 0.1))
    assert (broken.state, broken.onset, broken.learns) == ("broken", 10, False)
    assert found(FALLING, np.where(EPOCHS == 10, 0.1, LEARNT)).state == "healthy"


def test_a_net_without_finite_scores_at_the_end_has_diverged() -> None:
    assert found(np.where(EPOCHS < 20, FALLING, np.nan)).state == "diverged"
    assert found(np.where(EPOCHS == 20, np.nan, FALLING)).state == "healthy"


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_the_best_temperature_is_that_of_a_fine_grid(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(5, size=60)
    scores = scale * (rng.normal(size=(60, 5)) + 1.5 * np.eye(5)[labels])
    grid = np.exp(np.linspace(*map(math.log, truth.TEMPERATURES), 400))
    losses = [losses_at(each, scores, labels).mean() for each in grid]
    best = best_temperature(scores, labels)
    assert losses_at(best, scores, labels).mean() <= min(losses) + 1e-6
    assert calibrated_loss(scores, labels) == pytest.approx(calibrated_loss(7 * scores, labels), rel=2e-3)


def test_a_calibrated_loss_is_judged_on_the_half_that_its_temperature_has_not_seen() -> None:
    # The even images are always right and the odd ones always wrong: the temperature of one half is the worst for the
    # other.
    scores = np.tile([5.0, 0.0], (40, 1))
    labels = np.arange(40) % 2
    low, high = truth.TEMPERATURES
    expected = (
        losses_at(high, scores[::2], labels[::2]).mean() + losses_at(low, scores[1::2], labels[1::2]).mean()
    ) / 2
    assert calibrated_loss(scores, labels) == pytest.approx(expected, rel=1e-2)
    assert math.isnan(calibrated_loss(np.full((4, 2), np.nan), labels[:4]))


def test_losses_are_cross_entropies() -> None:
    scores, labels = np.array([[1.0, 2.0, 0.0], [1000.0, 0.0, 0.0]]), np.array([1, 0])
    first = -math.log(math.exp(2) / (math.e + math.exp(2) + 1))
    np.testing.assert_allclose(losses_at(1.0, scores, labels), [first, 0.0])
