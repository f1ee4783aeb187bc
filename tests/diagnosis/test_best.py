"""Which checkpoint is best, and whether the last is worse for sure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.diagnosis.best import Choice, Course, choose, courses
from tests.diagnosis.runs import EPOCHS, make_run

ROWS = range(10)
SURE = 0.9


def course(values: object, measure: str = "accuracy", *, noise: float = 0.1, size: int = 2000, seed: int = 0) -> Course:
    """Means over the epochs, of samples that scatter about them on their own."""
    means = np.asarray(values, np.float64)
    samples = means[:, None] + noise * np.random.default_rng(seed).standard_normal((len(means), size))
    sign = 1 if measure == "accuracy" else -1
    return Course(measure, np.arange(len(means)), samples.mean(1), samples, sign)  # type: ignore[arg-type]


def test_more_accuracy_and_less_loss_is_better() -> None:
    values = [3.0, 1.0, 5.0, 2.0]
    assert course(values).best(range(4)) == 2
    assert course(values, "loss").best(range(4)) == 1
    assert course(values).best([0, 1, 3]) == 0


def test_of_equal_ones_the_last_is_the_best_and_nan_is_never() -> None:
    values = np.array([1.0, 2.0, 2.0, np.nan])
    assert Course("accuracy", np.arange(4), values, None, 1).best(range(4)) == 2
    assert Course("loss", np.arange(4), values, None, -1).best(range(4)) == 0


def test_a_difference_beyond_noise_is_seen() -> None:
    fallen = course([0.5] * 5 + [0.7] + [0.6] * 4)
    assert fallen.is_worse(9, 5, ROWS, SURE)
    assert not fallen.is_worse(5, 5, ROWS, SURE)


def test_one_that_the_best_of_many_noisy_points_has_is_not() -> None:
    """A level curve: the best of its points is above the last by chance alone, hardly ever for sure."""
    flagged = 0
    for seed in range(100):
        level = course([0.6] * 30, noise=1.0, seed=seed)
        flagged += level.is_worse(29, level.best(range(30)), range(30), SURE)
    assert flagged <= 15  # 1 in 10 where chance alone decides


def test_samples_are_compared_one_by_one() -> None:
    """What makes one sample harder than another drops out: all the same differences are no noise."""
    hardness = np.random.default_rng(0).standard_normal(50)
    samples = np.stack([hardness + 0.001, hardness])
    paired = Course("accuracy", np.arange(2), samples.mean(1), samples, 1)
    assert paired.is_worse(1, 0, range(2), SURE)


def test_without_samples_nothing_is_sure_but_a_figure_that_is_not_finite() -> None:
    means = Course("loss", np.arange(3), np.array([1.0, 9.0, np.nan]), None, -1)
    assert not means.is_worse(1, 0, range(3), SURE)
    assert means.is_worse(2, 0, range(3), SURE)
    assert not means.is_worse(1, 2, range(3), SURE)


def test_the_last_is_kept_unless_another_is_better_for_sure() -> None:
    assert choose({"accuracy": course([0.5, 0.6, 0.6005, 0.6])}, range(4), SURE) == Choice(3, "")
    assert choose({"accuracy": course([0.5, 0.7, 0.6, 0.6])}, range(4), SURE) == Choice(1, "accuracy")


def test_what_is_better_by_one_measure_and_worse_by_the_other_is_not_kept() -> None:
    measured = {"accuracy": course([0.5, 0.7, 0.6]), "calibrated loss": course([2.0, 1.5, 1.0], "calibrated loss")}
    assert choose(measured, range(3), SURE) == Choice(2, "")  # type: ignore[arg-type]


def test_calibrated_loss_breaks_the_tie() -> None:
    measured = {
        "accuracy": course([0.5, 0.6, 0.6], noise=0.0),
        "calibrated loss": course([2.0, 0.8, 1.2], "calibrated loss"),
    }
    assert choose(measured, range(3), SURE) == Choice(1, "calibrated loss")  # type: ignore[arg-type]


def test_a_loss_alone_that_is_lower_moves_nothing() -> None:
    """A temperature takes back what overconfidence costs."""
    measured = {"accuracy": course([0.5, 0.6, 0.6], noise=0.0), "loss": course([2.0, 1.0, 3.0], "loss")}
    assert choose(measured, range(3), SURE) == Choice(2, "")  # type: ignore[arg-type]


def test_where_something_is_lost_the_best_of_those_that_are_no_worse_is_kept() -> None:
    measured = {
        "accuracy": course([0.5, 0.6, 0.6], noise=0.0),
        "calibrated loss": course([2.0, 1.1999, 1.2], "calibrated loss", noise=0.0),
    }
    assert choose(measured, range(3), SURE, lost=True) == Choice(1, "calibrated loss")  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 3)), min_size=1, max_size=12), st.booleans())
def test_what_is_kept_is_never_worse_than_the_last_by_accuracy_or_calibrated_loss(
    figures: list[tuple[float, float]], lost: bool
) -> None:
    accuracy, loss = np.array(figures).T
    measured = {
        "accuracy": course(accuracy, size=20),
        "calibrated loss": course(loss, "calibrated loss", size=20, seed=1),
    }
    kept = choose(measured, range(len(figures)), SURE, lost=lost)  # type: ignore[arg-type]
    assert measured["accuracy"].values[kept.row] >= measured["accuracy"].values[-1]
    assert measured["calibrated loss"].values[kept.row] <= measured["calibrated loss"].values[-1]


def test_a_store_gives_the_measures_that_it_has() -> None:
    losses = np.random.default_rng(0).random((len(EPOCHS), 50))
    labelled = make_run(losses, accuracy=0.7)
    assert list(courses(labelled)) == ["accuracy", "loss"]
    assert courses(labelled)["accuracy"].values == pytest.approx(
        np.asarray(courses(labelled)["accuracy"].samples).mean(1)
    )
    more = {"probe/calibrated_loss": losses.mean(1) / 2, "probe/sample_calibrated_loss": losses / 2}
    assert list(courses(replace(labelled, columns={**labelled.columns, **more})))[2:] == ["calibrated loss"]
    assert courses(make_run()) == {}


def test_the_best_is_described_with_its_file_and_the_last() -> None:
    losses = np.full((len(EPOCHS), 50), 1.0)
    losses[7] = 0.5
    history = make_run(losses)
    best = courses(history)["loss"].described(history, range(len(EPOCHS)), SURE)
    assert (best.measure, best.epoch, best.path) == ("loss", 7, "run/epoch_7.pt")
    assert (best.value, best.last, best.beyond_noise) == (0.5, 1.0, True)
