import numpy as np
import pytest

from rfav_cli.statistics.tasks import task_of
from rfav_cli.statistics.tasks.base import UnfitLabelsError
from rfav_cli.statistics.tasks.classes import are_one_hot
from tests.statistics.tasks.held import figures, log_softmax

CLASSES = task_of("classes")


def test_the_loss_is_the_cross_entropy(rng: np.random.Generator) -> None:
    scores, labels = rng.normal(size=(8, 3)), np.arange(8) % 3
    found = figures("classes", scores, labels)
    truth = -log_softmax(scores, 1)[np.arange(8), labels]
    np.testing.assert_allclose(found["sample_loss"], truth, rtol=1e-5)
    assert found["accuracy"] == (scores.argmax(1) == labels).mean()
    assert "sample_right" not in found


@pytest.mark.parametrize("raw", [np.array([2.0, 0.0, 1.0]), np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])])
def test_whole_floats_and_one_hot_rows_are_class_numbers(raw: np.ndarray) -> None:
    assert CLASSES.labels(raw, (3,)).tolist() == [2, 0, 1]


@pytest.mark.parametrize("raw", [np.array([0.5, 1.0]), np.array([-1.0, 0.0]), np.zeros((2, 5)), np.ones((2, 3))])
def test_other_labels_are_none(raw: np.ndarray) -> None:
    with pytest.raises(UnfitLabelsError):
        CLASSES.labels(raw, (3,))


def test_guessing_says_each_class_as_often_as_it_is_there() -> None:
    labels = np.array([0, 0, 1, 2])
    assert CLASSES.guessed(labels) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(4))
    assert CLASSES.guessed_right(labels) == 0.5


def test_one_hot_rows_have_a_single_one() -> None:
    assert are_one_hot(np.eye(3))
    assert not are_one_hot(np.ones((2, 2)))
    assert not are_one_hot(np.array([1, 0]))
