"""The task that is told from an output and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rfav_cli.errors import SampleError
from rfav_cli.measure.tasks import tell_task
from rfav_cli.records.tasks import AUTO

FLAGS = np.array([0, 1, 1, 0])
TAGS = np.array([[0, 1], [1, 1], [0, 0], [1, 1]])
MASKS = np.arange(4 * 6 * 5).reshape(4, 6, 5) % 3

TOLD: list[tuple[Any, tuple[int, ...], str]] = [
    (np.array([0, 2, 1, 0]), (3,), "classes"),
    (FLAGS, (2,), "classes"),
    (FLAGS.astype(float), (2,), "classes"),
    (np.eye(4, dtype=int), (4,), "classes"),
    (FLAGS, (1,), "binary"),
    (FLAGS, (), "binary"),
    (FLAGS.astype(float), (1,), "binary"),
    (np.array([0, 7, 2, 9]), (1,), "regression"),
    (np.array([0.5, -1, 2, 3]), (1,), "regression"),
    (np.array([0.5, -1, 2, 3]), (), "regression"),
    (np.linspace(0, 3, 12).reshape(4, 3), (3,), "regression"),
    (TAGS, (2,), "multilabel"),
    (TAGS.astype(float), (2,), "multilabel"),
    (MASKS.astype(np.uint8), (3, 6, 5), "pixels"),
    (MASKS, (3, 3, 2), "pixels"),
    (MASKS[:, None], (3, 6, 5), "pixels"),
    (MASKS[:, 0], (5, 3), "pixels"),
    (MASKS % 2, (1, 6, 5), "pixels"),
    (MASKS % 2 * 255, (6, 5), "pixels"),
    (MASKS * 0.3, (1, 6, 5), "regression"),
    (np.moveaxis(np.eye(3)[MASKS], -1, 1), (3, 6, 5), "pixels"),
    (np.stack([MASKS % 2] * 2, 1), (2, 6, 5), "multilabel"),
    (np.stack([MASKS * 0.1] * 2, 1), (2, 6, 5), "regression"),
]


@pytest.mark.parametrize(("raw", "shape", "task"), TOLD)
def test_a_task_is_told_and_said_where_it_is_no_matter_of_course(raw: Any, shape: tuple[int, ...], task: str) -> None:
    told = tell_task(raw, shape, AUTO, "probe.npz")
    assert told is not None
    assert told.name == task
    of_course = task == "classes" and raw.ndim == 1 and raw.dtype.kind == "i"
    assert any(f"task {task}" in note for note in told.notes) != of_course


@pytest.mark.parametrize(
    ("raw", "shape", "words"),
    [
        (np.array([-1.0, 1, 1, -1]), (1,), "Save two classes as 0 and 1"),
        (np.array([0.5, 1, 1, 0]), (3,), "fit an output of 3 a sample in no way"),
        (np.full((4, 4), 0.25), (4,), r"labels \(N, 4\) of floating-point numbers from 0.25 to 0.25"),
        (TAGS, (3,), "fit an output of 3 a sample in no way"),
        (MASKS, (3, 6, 5, 2), "other positions"),
        (MASKS, (2, 6, 5), "label 2 is beyond the 2 classes"),
    ],
)
def test_labels_that_fit_in_no_way_are_refused(raw: Any, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(SampleError) as caught:
        tell_task(raw, shape, AUTO, "probe.npz")
    assert caught.match("probe.npz: ")
    assert caught.match(words)


def test_what_the_user_says_is_taken() -> None:
    told = tell_task(np.array([0, 1, 1, 0]), (1,), "regression", "probe.npz")
    assert told is not None
    assert (told.name, told.labels.dtype, told.notes) == ("regression", np.float64, ())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("classes", "an output of one number a sample is none of the task classes"),
        ("multilabel", "For --task multilabel, labels are 0 or 1 for each tag"),
        ("other", "--task other: has no loss of its own"),
    ],
)
def test_a_task_that_does_not_fit_is_refused(asked: str, words: str) -> None:
    with pytest.raises(SampleError) as caught:
        tell_task(FLAGS, (1,), asked, "probe.npz")
    assert caught.match(words)


def test_class_numbers_say_nothing_of_an_output_of_positions() -> None:
    assert tell_task(FLAGS, (3, 8, 8), AUTO, "probe.npz") is None


@pytest.mark.parametrize(("raw", "shape"), [(FLAGS, (3, 8, 8)), (TAGS, (7,)), (MASKS + 9, (3, 6, 5))])
def test_a_loss_of_the_users_own_takes_any_labels(raw: Any, shape: tuple[int, ...]) -> None:
    told = tell_task(raw, shape, AUTO, "probe.npz", own=True)
    assert told is not None
    assert told.name == "other"
    assert told.labels is raw


def test_pixels_without_a_label_and_another_resolution_are_said() -> None:
    raw = MASKS.copy()
    raw[:, 0] = 255
    told = tell_task(raw, (3, 3, 3), AUTO, "probe.npz")
    assert told is not None
    assert any("16.7% of the pixels have no label" in note for note in told.notes)
    assert any("of 3 x 3, are enlarged to the 6 x 5" in note for note in told.notes)
