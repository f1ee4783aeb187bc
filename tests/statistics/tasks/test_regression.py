import numpy as np
import pytest

from rfav_cli.statistics.tasks import task_of
from rfav_cli.statistics.tasks.base import UnfitLabelsError
from rfav_cli.statistics.tasks.regression import without_ones
from tests.statistics.tasks.held import figures

REGRESSION = task_of("regression")


@pytest.mark.parametrize(
    ("output", "labels"), [((9,), (9,)), ((9, 1), (9,)), ((9, 3), (9, 3)), ((9, 1, 2, 2), (9, 2, 2)), ((9,), (9, 1))]
)
def test_the_loss_is_the_mean_of_the_squares(
    rng: np.random.Generator, output: tuple[int, ...], labels: tuple[int, ...]
) -> None:
    values, truth = rng.normal(1000, 3, output), rng.normal(1000, 3, labels)
    found = figures("regression", values, truth)
    squares = (values.astype(np.float32).astype(np.float64).reshape(9, -1) - truth.reshape(9, -1)) ** 2
    np.testing.assert_allclose(found["sample_loss"], squares.mean(1), rtol=1e-5)
    variance = truth.reshape(9, -1).var(0).mean()
    assert found["figure"] == pytest.approx(1 - squares.mean() / variance, rel=1e-6)
    assert found["prediction_spread"] == pytest.approx(np.sqrt(values.reshape(9, -1).var(0).mean()), rel=1e-4)
    assert np.isnan(found["accuracy"])
    assert not {"confidence", "temperature", "sample_prediction"} & found.keys()


def test_labels_of_another_shape_are_none() -> None:
    with pytest.raises(UnfitLabelsError):
        REGRESSION.labels(np.zeros((4, 3)), (2,))


def test_labels_that_are_all_the_same_have_no_variance_to_explain() -> None:
    assert np.isnan(figures("regression", np.arange(5.0), np.ones(5))["figure"])


def test_guessing_is_the_variance() -> None:
    assert REGRESSION.guessed(np.array([[0.0, 5.0], [2.0, 5.0]])) == 0.5
    assert without_ones((1, 3, 1)) == (3,)
    assert REGRESSION.reads((1, 2, 3))
