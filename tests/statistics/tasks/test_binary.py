import numpy as np
import pytest

from rfav_cli.statistics.tasks import task_of
from rfav_cli.statistics.tasks.base import UnfitLabelsError
from tests.statistics.tasks.held import figures

BINARY = task_of("binary")


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 1, 1)])
@pytest.mark.parametrize("kind", [np.int64, np.bool_, np.float64])
def test_the_loss_is_that_of_the_sigmoid(rng: np.random.Generator, shape: tuple[int, ...], kind: type) -> None:
    scores, labels = rng.normal(0, 2, 9), np.arange(9) % 2
    found = figures("binary", scores.reshape(shape), labels.astype(kind))
    right = 1 / (1 + np.exp(np.where(labels == 1, -scores, scores)))
    np.testing.assert_allclose(found["sample_loss"], -np.log(right), rtol=1e-5)
    assert found["accuracy"] == ((scores > 0) == labels).mean()
    assert found["sample_prediction"].tolist() == (scores > 0).astype(int).tolist()
    np.testing.assert_allclose(found["sample_confidence"], 1 / (1 + np.exp(-np.abs(scores))), rtol=1e-5)


def test_probabilities_are_taken_as_such(rng: np.random.Generator) -> None:
    scores, labels = rng.normal(0, 2, 9), np.arange(9) % 2
    plain = figures("binary", scores, labels)
    found = figures("binary", 1 / (1 + np.exp(-scores)), labels, probabilities=True)
    for name in ("loss", "accuracy", "temperature", "calibrated_loss", "confidence"):
        assert found[name] == pytest.approx(plain[name], rel=1e-4), name


def test_a_temperature_is_that_of_two_classes(rng: np.random.Generator) -> None:
    scores, labels = rng.normal(0, 2, 40), (np.arange(40) % 2)
    both = np.stack([np.zeros(40), scores], 1)
    one, two = figures("binary", scores, labels), figures("classes", both, labels)
    for name in ("temperature", "calibrated_loss", "calibration_error"):
        assert one[name] == pytest.approx(two[name], rel=1e-6), name


@pytest.mark.parametrize("raw", [np.array([0, 2]), np.array([-1.0, 1.0]), np.zeros((2, 2))])
def test_other_labels_are_none(raw: np.ndarray) -> None:
    with pytest.raises(UnfitLabelsError):
        BINARY.labels(raw, (1,))


def test_guessing() -> None:
    labels = np.array([0, 0, 0, 1])
    assert BINARY.guessed(labels) == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert BINARY.guessed_right(labels) == 0.75
    assert BINARY.has_one_score((1,), ())
    assert not BINARY.reads((2,))
