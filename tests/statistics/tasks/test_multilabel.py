import numpy as np
import pytest

from rfav_cli.statistics.tasks import task_of
from rfav_cli.statistics.tasks.base import UnfitLabelsError
from tests.statistics.tasks.held import figures

MULTILABEL = task_of("multilabel")


@pytest.mark.parametrize("shape", [(9, 4), (9, 2, 2, 3)])
def test_the_loss_is_the_mean_over_the_tags(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    scores, labels = rng.normal(0, 2, shape), rng.integers(0, 2, shape)
    found = figures("multilabel", scores, labels)
    losses = np.log1p(np.exp(np.where(labels == 1, -scores, scores)))
    np.testing.assert_allclose(found["sample_loss"], losses.reshape(9, -1).mean(1), rtol=1e-5)
    right = (scores > 0) == labels
    assert found["accuracy"] == pytest.approx(right.mean())
    np.testing.assert_allclose(found["sample_right"], right.reshape(9, -1).mean(1), rtol=1e-6)
    assert "sample_prediction" not in found
    assert found["calibrated_loss"] == pytest.approx(found["sample_calibrated_loss"].mean(), rel=1e-6)


def test_scores_that_are_too_large_by_a_factor_get_it_as_their_temperature(rng: np.random.Generator) -> None:
    scores = rng.normal(0, 2, (400, 5))
    labels = (rng.random((400, 5)) < 1 / (1 + np.exp(-scores))).astype(np.int64)
    assert figures("multilabel", 3 * scores, labels)["temperature"] == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("raw", [np.array([0, 1]), np.zeros((2, 3)), np.full((2, 4), 2)])
def test_other_labels_are_none(raw: np.ndarray) -> None:
    with pytest.raises(UnfitLabelsError):
        MULTILABEL.labels(raw, (4,))


def test_guessing_is_by_how_often_each_tag_is_there() -> None:
    labels = np.array([[1, 0], [1, 0], [1, 1], [0, 0]])
    quarter = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert MULTILABEL.guessed(labels) == pytest.approx(quarter)
    assert MULTILABEL.guessed_right(labels) == 0.75
