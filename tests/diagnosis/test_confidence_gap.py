"""How much surer a net is of training samples than of held-out ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.diagnosis.confidence_gap import course_of_gap, follow_gap
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import Onset
from tests.diagnosis.conftest import TOP, make_history

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.diagnosis.confidence_gap import GapCourse
    from rfav_cli.records import History

T = Thresholds()
EPOCHS = np.arange(30)


def confidences(means: NDArray[Any], size: int, seed: int, noise: float = 0.0) -> NDArray[np.float64]:
    """(E, size) of samples that differ in how sure the net is of them, the same ones in every epoch."""
    random = np.random.default_rng(seed)
    spread = random.uniform(-1, 1, size)
    shared = noise * random.standard_normal(len(means))
    return np.clip((means + shared)[:, None] + 0.3 * np.minimum(1 - means, means)[:, None] * spread, 0, 1)


def sure(epochs: NDArray[Any], until: float) -> NDArray[np.float64]:
    return 0.2 + (until - 0.2) * (1 - np.exp(-epochs / 8))


def follow(trained: NDArray[Any], held_out: NDArray[Any], size: int = 1000, **changed: float) -> GapCourse:
    values = (confidences(means, size, seed, 0.005) for seed, means in enumerate((trained, held_out)))
    return course_of_gap(EPOCHS, *values, replace(T, **changed))  # type: ignore[arg-type]


def test_a_net_that_memorises_is_surer_of_what_it_was_trained_on() -> None:
    held_out = sure(EPOCHS, 0.7)
    course = follow(held_out + 0.2 * np.clip((EPOCHS - 9) / 20, 0, 1), held_out, gap=0.1)
    assert course.probability > 0.99
    assert course.onset is not None
    assert course.onset.low <= course.onset.epoch <= course.onset.high <= 20
    assert course.onset.epoch >= 8
    assert course.onset.at_or_before is False
    assert course.smoothed[-1] == pytest.approx(0.2, abs=0.03)
    assert course.trained - course.held_out == pytest.approx(course.measured[-1])
    assert "limit 0.1)" in course.words
    assert "either way" not in course.words


def test_a_net_without_a_gap_says_nothing() -> None:
    course = follow(sure(EPOCHS, 0.9), sure(EPOCHS, 0.9))
    assert course.probability < 0.01
    assert course.onset is None
    assert course.words.endswith("says nothing either way")


def test_few_samples_are_less_sure() -> None:
    held_out = sure(EPOCHS, 0.7)
    trained = held_out + 0.06 * EPOCHS / EPOCHS[-1]
    many, few = follow(trained, held_out, 5000), follow(trained, held_out, 20)
    assert many.error[-1] < few.error[-1]
    assert abs(few.probability - 0.5) < abs(many.probability - 0.5)


def test_a_gap_from_the_first_epoch_on_begins_there() -> None:
    held_out = sure(EPOCHS, 0.6)
    onset = follow(held_out + 0.3, held_out).onset
    assert onset is not None
    assert onset == Onset(0, 0, 0, at_or_before=True)


def gap_slowly(
    epochs: NDArray[Any], trained: NDArray[Any], held_out: NDArray[Any], sigma: float
) -> tuple[list[float], list[float]]:
    """Smoothed gaps and the error from the samples, a loop a sum."""
    gaps, errors = [], []
    for here in epochs:
        weights = [np.exp(-((e - here) ** 2) / (2 * sigma**2)) if sigma else float(e == here) for e in epochs]
        means, variances = [], []
        for values in (trained, held_out):
            of_samples = [
                sum(w * values[row][n] for row, w in enumerate(weights)) / sum(weights) for n in range(values.shape[1])
            ]
            mean = sum(of_samples) / len(of_samples)
            means.append(mean)
            variances.append(sum((value - mean) ** 2 for value in of_samples) / len(of_samples) ** 2)
        gaps.append(means[0] - means[1])
        errors.append(sum(variances) ** 0.5)
    return gaps, errors


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 10), st.integers(1, 9), st.integers(1, 9), st.sampled_from([0.0, 0.5, 2.0]))
def test_the_figures_are_those_of_a_loop(seed: int, count: int, size: int, other: int, sigma: float) -> None:
    random = np.random.default_rng(seed)
    epochs = np.sort(random.choice(40, count, replace=False))
    trained, held_out = random.random((count, size)), random.random((count, other))
    course = course_of_gap(epochs, trained, held_out, replace(T, smoothing=sigma))
    gaps, errors = gap_slowly(epochs, trained, held_out, min(sigma, (epochs[-1] - epochs[0]) / 10))
    np.testing.assert_allclose(course.smoothed, gaps, atol=1e-12)
    assert (course.error >= np.array(errors) - 1e-12).all()  # the noise along the epochs is added
    np.testing.assert_allclose(course.measured, trained.mean(1) - held_out.mean(1))
    assert 0 <= course.probability <= 1
    assert (course.onset is not None) == (course.smoothed[-1] > T.gap)
    if course.onset:
        assert epochs[0] <= course.onset.low <= course.onset.epoch <= course.onset.high <= epochs[-1]
    swapped = course_of_gap(epochs, held_out, trained, replace(T, smoothing=sigma))
    np.testing.assert_allclose(swapped.smoothed, -course.smoothed, atol=1e-12)


def history_of(epochs: NDArray[Any] = EPOCHS, **columns: Any) -> History:
    held_out = sure(epochs, 0.7)
    both = {
        "train__sample_confidence": confidences(np.clip(held_out + 0.2, 0, 1), 300, 1),
        "probe__sample_confidence": confidences(held_out, 200, 2),
    }
    given_columns = {name: values for name, values in (both | columns).items() if values is not None}
    return make_history(epochs, {"fc": np.full(len(epochs), TOP)}, None, **given_columns)


def test_a_history_is_followed_without_labels() -> None:
    course = follow_gap(history_of(), replace(T, gap=0.1))
    assert course is not None
    assert course.probability > 0.99
    assert course.epochs.tolist() == EPOCHS.tolist()


def test_an_untrained_net_and_epochs_that_are_not_finite_do_not_count() -> None:
    epochs = np.arange(-1, 29)
    history = history_of(epochs)
    history.columns["train/sample_confidence"][4, 7] = np.nan  # type: ignore[index]
    history.columns["probe/sample_confidence"][9] = np.nan  # type: ignore[index]
    course = follow_gap(history, T)
    assert course is not None
    assert course.epochs.tolist() == [epoch for epoch in range(29) if epoch not in {3, 8}]


@pytest.mark.parametrize("gone", ["train__sample_confidence", "probe__sample_confidence"])
def test_nothing_is_said_without_both(gone: str) -> None:
    assert follow_gap(history_of(**{gone: None}), T) is None
    assert follow_gap(history_of(**{gone: np.empty((len(EPOCHS), 0))}), T) is None


def test_nothing_is_said_of_few_epochs_or_a_last_one_that_is_not_finite() -> None:
    assert follow_gap(history_of(np.arange(T.fewest - 1)), T) is None
    assert follow_gap(history_of(np.arange(T.fewest)), T) is not None
    history = history_of()
    history.columns["train/sample_confidence"][-1] = np.nan  # type: ignore[index]
    assert follow_gap(history, T) is None
