import numpy as np
import pytest
import torch

from rfav_cli.statistics.tasks import task_of
from rfav_cli.statistics.tasks.base import UnfitLabelsError
from rfav_cli.statistics.tasks.pixels import IGNORED, at_positions, class_axis
from tests.statistics.tasks.held import figures, log_softmax

PIXELS = task_of("pixels")


def reference(scores: np.ndarray, labels: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, float]:
    """Losses at each position (N, ...), and their mean over those that have a label; the classes are axis 1."""
    picked = np.take_along_axis(-log_softmax(scores, 1), np.where(known, labels, 0)[:, None], 1)[:, 0]
    return picked, float(picked[known].mean())


@pytest.mark.parametrize("marked", [255, -100, None])
def test_the_loss_is_the_mean_over_the_pixels_that_have_a_label(rng: np.random.Generator, marked: int | None) -> None:
    scores, labels = rng.normal(size=(6, 4, 5, 3)), rng.integers(0, 4, (6, 5, 3))
    known = rng.random(labels.shape) < 0.6 if marked else np.ones(labels.shape, bool)
    known[2] = marked is None  # a sample of which no pixel has one
    if marked:
        labels[~known] = marked
    found = figures("pixels", scores, labels)
    picked, mean = reference(scores, labels, known)
    assert found["loss"] == pytest.approx(mean, rel=1e-5)
    assert found["accuracy"] == pytest.approx((scores.argmax(1) == labels)[known].mean(), rel=1e-6)
    sums = (picked * known).sum((1, 2)) * 6 / known.sum()
    np.testing.assert_allclose(found["sample_loss"], sums, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("last", [True, False])
def test_a_sequence_has_its_classes_on_either_axis(rng: np.random.Generator, last: bool) -> None:
    scores, labels = rng.normal(size=(6, 4, 7)), rng.integers(0, 4, (6, 7))
    found = figures("pixels", scores.swapaxes(1, 2) if last else scores, labels)
    assert found["loss"] == pytest.approx(reference(scores, labels, np.ones(labels.shape, bool))[1], rel=1e-5)


@pytest.mark.parametrize("shape", [(6, 1, 4, 4), (6, 4, 4)])
@pytest.mark.parametrize("white", [1, 255])
def test_one_score_a_pixel_is_of_two_classes(rng: np.random.Generator, shape: tuple[int, ...], white: int) -> None:
    scores, labels = rng.normal(size=(6, 4, 4)), rng.integers(0, 2, (6, 4, 4))
    for raw in (labels * white, labels[:, None] * white):
        found = figures("pixels", scores.reshape(shape), raw)
        truth = np.log1p(np.exp(np.where(labels == 1, -scores, scores)))
        assert found["loss"] == pytest.approx(truth.mean(), rel=1e-5)


def test_masks_may_be_one_hot_or_have_an_axis_of_a_channel(rng: np.random.Generator) -> None:
    labels = rng.integers(0, 3, (5, 4, 6))
    one_hot = np.moveaxis(np.eye(3, dtype=np.uint8)[labels], -1, 1)
    for raw in (labels, one_hot, labels[:, None], labels[..., None], labels.astype(np.float64)):
        assert (PIXELS.labels(raw, (3, 4, 6)) == labels).all()


def test_scores_of_a_lower_resolution_are_enlarged() -> None:
    scores = torch.arange(8.0).reshape(1, 2, 2, 2)
    assert at_positions(scores, (2, 2)) is scores
    enlarged = torch.nn.functional.interpolate(scores, (4, 6), mode="bilinear", align_corners=False)
    assert torch.equal(at_positions(scores, (4, 6)), enlarged)
    labels = np.zeros((1, 4, 6), int)
    labels[0, 0, 0] = 1
    assert PIXELS.labels(labels, (2, 2, 2)).shape == (1, 4, 6)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (np.zeros(3, int), "no classes of positions"),
        (np.full((3, 4, 4), 0.5), "no classes of positions"),
        (np.zeros((3, 9), int), "other positions"),
        (np.full((3, 4, 4), 5), "label 5 is beyond the 3 classes"),
        (np.full((3, 4, 4), -1), "no position has a label"),
        (np.array([[[0, 255]]]), "255 is what has no label"),
    ],
)
def test_other_labels_are_none(raw: np.ndarray, words: str) -> None:
    with pytest.raises(UnfitLabelsError, match=words):
        PIXELS.labels(raw, (3, 4, 4))


def test_which_axis_is_that_of_the_classes() -> None:
    assert class_axis((2, 4, 4), (4, 4)) == 0
    assert class_axis((4, 4, 2), (4, 4)) == 2
    assert class_axis((4,), (4, 4)) is None
    assert PIXELS.has_one_score((1, 4, 4), (4, 4))
    assert PIXELS.has_one_score((4, 4), (4, 4))
    assert not PIXELS.has_one_score((2, 4, 4), ())


def test_guessing_is_over_the_pixels_that_have_a_label() -> None:
    labels = np.array([[0, 0, 0], [1, IGNORED, IGNORED]])
    assert PIXELS.guessed(labels) == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert PIXELS.guessed_right(labels) == 0.75
    assert PIXELS.weight(torch.from_numpy(labels)) == 0.5
