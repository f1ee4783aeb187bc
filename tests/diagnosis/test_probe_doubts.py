from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.diagnosis.doubts import doubts
from rfav_cli.diagnosis.probe_doubts import FEWEST_EPOCHS, accuracy_doubts, normalisation_doubts, probe_doubts
from tests.diagnosis.conftest import falling, learning, make_history, sample_losses

if TYPE_CHECKING:
    from rfav_cli.records import History

EPOCHS = np.arange(-1, 8)


def run_of(epochs: Any = EPOCHS, size: int = 200, losses: Any = None, **columns: Any) -> History:
    if losses is None:
        losses = sample_losses(learning(epochs, 6), size=size)
    return make_history(epochs, {"fc1": falling(epochs, 3, 0.0)}, losses, **columns)


def normed(shift: Any, variance: Any, **more: Any) -> list[Any]:
    """What is doubted where all epochs but the first have such figures, a little different each."""
    epochs = more.get("epochs", EPOCHS)
    wobble = 1 + 0.01 * np.arange(len(epochs))
    figures = {"probe__norm_shift": shift * wobble, "probe__norm_variance": variance * wobble}
    for values in figures.values():
        values[epochs < 0] = np.nan
    return list(normalisation_doubts(run_of(**more, **figures)))


@pytest.mark.parametrize(
    ("shift", "variance"),
    [(0.05, 0.95), (0.44, 0.9), (0.02, 0.82), (0.08, 1.75), (1.29, 1.0), (0.75, 1.1)],
)
def test_the_right_normalisation_is_not_doubted(shift: float, variance: float) -> None:
    assert normed(shift, variance) == []


@pytest.mark.parametrize(
    ("shift", "variance"),
    [(0.54, 0.08), (130.0, 4933.0), (0.14, 0.23), (0.2, 3.7), (2.0, 11.0), (2.0, 1.0)],
)
def test_another_normalisation_is_doubted(shift: float, variance: float) -> None:
    (doubt,) = normed(shift, variance)
    assert doubt.kind == "normalisation"
    assert f"{shift * 1.08:.3g} standard deviations" in doubt.words
    assert f"{variance * 1.08:.2g} times" in doubt.words
    assert "--mean and --std" in doubt.remedy


def test_every_epoch_must_say_so() -> None:
    shifts = np.full(9, 0.5)
    variances = np.r_[np.nan, np.linspace(0.08, 0.09, 8)]
    assert list(normalisation_doubts(run_of(probe__norm_shift=shifts, probe__norm_variance=variances)))
    variances[4] = 0.9
    assert not list(normalisation_doubts(run_of(probe__norm_shift=shifts, probe__norm_variance=variances)))
    variances[4] = np.nan
    assert list(normalisation_doubts(run_of(probe__norm_shift=shifts, probe__norm_variance=variances)))


def test_frozen_statistics_and_few_samples_need_more() -> None:
    frozen = {"probe__norm_shift": np.full(9, 2.0), "probe__norm_variance": np.full(9, 0.1)}
    assert not list(normalisation_doubts(run_of(**frozen)))
    assert list(normalisation_doubts(run_of(**frozen | {"probe__norm_variance": np.full(9, 4933.0)})))
    assert not normed(2.0, 0.3, size=10)
    assert normed(0.5, 0.01, size=10)


def test_one_checkpoint_is_enough_and_none_is_not() -> None:
    assert normed(0.5, 0.08, epochs=np.array([3]))
    assert not normed(0.5, 0.08, epochs=np.array([-1]))
    assert not list(normalisation_doubts(run_of()))


def guessing(losses: Any, accuracies: Any, labels: Any = None) -> list[Any]:
    """What is doubted of a run with these losses and accuracies."""
    size = 200 if labels is None else len(labels)
    history = run_of(losses=np.repeat(np.asarray(losses)[:, None], size, 1), probe__accuracy=np.asarray(accuracies))
    if labels is not None:
        history.run.probe.labels[:] = labels  # type: ignore[index]
    return list(accuracy_doubts(history))


LN10 = float(np.log(10))
SURE = np.r_[LN10, np.linspace(2.4, 5, 8)]


def test_a_net_that_guesses_in_every_epoch_is_doubted() -> None:
    (doubt,) = guessing(SURE, np.full(9, 0.12))
    assert doubt.kind == "accuracy"
    assert "2.4 nat at its lowest, 2.3 by guessing" in doubt.words
    assert "12.0% at its highest, 10.0% by guessing" in doubt.words
    assert "--classes" in doubt.remedy
    assert "--mean" in doubt.remedy


@pytest.mark.parametrize("losses", [np.full(9, LN10 * 1.003), np.linspace(LN10, 2.26, 9)])
def test_a_net_that_has_learnt_nothing_yet_is_doubted_as_well_but_less(losses: Any) -> None:
    (doubt,) = guessing(losses, np.full(9, 0.1))
    (sure,) = guessing(SURE, np.full(9, 0.12))
    assert doubt.certainty < sure.certainty


def test_what_came_before_training_does_not_count() -> None:
    assert guessing(np.r_[0.1, SURE[1:]], np.r_[0.9, np.full(8, 0.1)])


@pytest.mark.parametrize(
    ("losses", "accuracies"),
    [
        (np.r_[LN10, 2.1, np.linspace(2.4, 5, 7)], np.full(9, 0.12)),  # learnt something once
        (SURE, np.linspace(0.1, 0.3, 9)),
        (np.full(9, np.nan), np.full(9, 0.1)),
    ],
)
def test_other_courses_are_not_doubted(losses: Any, accuracies: Any) -> None:
    assert guessing(losses, accuracies) == []


def test_nothing_is_said_of_few_samples_or_epochs_or_of_one_class_that_is_most_of_the_probe() -> None:
    assert guessing(SURE, np.full(9, 0.1), np.arange(40) % 10)
    assert not guessing(SURE, np.full(9, 0.1), np.arange(20) % 10)
    assert not guessing(SURE, np.full(9, 0.7), np.r_[np.zeros(140), np.ones(60)])
    few = np.arange(FEWEST_EPOCHS - 1)
    history = run_of(few, losses=np.full((len(few), 200), 5.0), probe__accuracy=np.full(len(few), 0.1))
    assert not list(accuracy_doubts(history))
    unlabelled = make_history(EPOCHS, {"fc1": falling(EPOCHS, 3, 0.0)})
    assert not doubts(unlabelled)


def test_another_order_of_the_classes_is_said_once() -> None:
    size = 400
    labels = np.arange(size) % 10
    columns = {"probe__sample_prediction": np.tile((labels + 1) % 10, (9, 1)), "probe__accuracy": np.zeros(9)}
    history = run_of(losses=np.repeat(SURE[:, None], size, 1), **columns)
    assert [doubt.kind for doubt in doubts(history)] == ["classes"]
    assert list(accuracy_doubts(history))


def test_a_probe_of_one_class_is_doubted() -> None:
    history = run_of(EPOCHS, losses=np.full((len(EPOCHS), 200), 0.1))

    def of(labels: Any) -> list[str]:
        labelled = replace(history, run=replace(history.run, probe=replace(history.run.probe, labels=labels)))
        return [doubt.words for doubt in probe_doubts(labelled) if doubt.kind == "classes"]

    (words,) = of(np.full(200, 3))
    assert "all 200 samples of the probe are of one class" in words
    assert not of(np.arange(200) % 2)
    assert not of(None)
    assert not of(np.full(9, 3))
