import numpy as np
import pytest
import torch

from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.tasks import task_of
from rfav_cli.statistics.tasks.base import Choices, Task, are_flags, entropy_of, two_classes, whole


def test_each_name_of_the_table_has_its_task_and_none_that_of_classes() -> None:
    assert {name: task_of(name).words for name in TASKS} == TASKS
    assert task_of("") is task_of("classes")


def test_a_score_is_worth_as_much_as_its_sigmoid() -> None:
    scores = torch.tensor([-3.0, 0.0, 2.5])
    as_scores = two_classes(scores, probabilities=False).softmax(1)
    torch.testing.assert_close(as_scores, two_classes(scores.sigmoid(), probabilities=True))
    torch.testing.assert_close(two_classes(torch.tensor([1 + 1e-6]), probabilities=True), torch.tensor([[0.0, 1.0]]))


def test_rows_are_added_up_by_their_sample() -> None:
    choices = Choices(torch.zeros(4, 2), None, torch.tensor([0, 2, 2, 2]))
    assert choices.of_samples(torch.tensor([1.0, 2.0, 3.0, 4.0]), 3).tolist() == [1, 0, 9]
    with pytest.raises(ValueError, match="labels"):
        choices.losses()


def test_whole_numbers_and_flags() -> None:
    assert whole(np.array([0.0, 2.0]))
    assert not whole(np.array([0.5]))
    assert are_flags(np.array([[0, 1]]))
    assert not are_flags(np.array([2]))


def test_the_entropy_of_equal_shares_is_their_logarithm() -> None:
    assert entropy_of(np.array([0.25] * 4 + [0.0])) == pytest.approx(np.log(4))


def test_a_task_that_overrides_nothing_says_nothing() -> None:
    task = Task(TASKS["other"])
    assert task.choices(torch.zeros(2, 2), 2, None) is None
    assert task.errors(torch.zeros(2), torch.zeros(2)) is None
    assert np.isnan(task.guessed(np.zeros(2)))
    assert np.isnan(task.guessed_right(np.zeros(2)))
    assert not task.has_one_score((1,), ())
    assert task.weight(torch.zeros(2)) == 1
