"""Items by their numbers, and batches of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rfav_cli.data.sources.objects.items import take_apart
from rfav_cli.data.sources.objects.rows import Batch, Given, ItemRows, are_same, as_batch, stacked
from rfav_cli.errors import SampleError, UsageError

GIVEN = Given("my.data:val", "--data")


def test_numbers_that_count():
    rows = ItemRows(lambda n: (torch.tensor([n]), n), 9, GIVEN, numbers=np.array([8, 2]), labels=np.arange(9))
    assert len(rows) == 2
    assert rows.labels.tolist() == [8, 2]
    batch = rows.take([1, 0, 1])
    assert (batch.inputs["0"].tolist(), batch.labels.tolist()) == ([[2], [8], [2]], [2, 8, 2])


def test_errors_of_its_code_name_the_sample():
    def get(number):
        raise (UsageError("mine") if number else KeyError("x"))

    with pytest.raises(SampleError, match=r"--data my.data:val: sample 0 raised KeyError: 'x'"):
        ItemRows(get, 2, GIVEN).take([0])
    with pytest.raises(UsageError, match="mine"):
        ItemRows(get, 2, GIVEN).take([1])


def test_twice():
    assert not ItemRows(lambda n: (torch.zeros(2), n), 3, GIVEN).differs([0, 1])
    assert ItemRows(lambda n: (torch.rand(2), n), 3, GIVEN).differs([0, 1])
    assert ItemRows(lambda n: (torch.zeros(2), int(torch.randint(99, ()))), 3, GIVEN).differs([0, 1])


def test_labels_of_any_shape_and_names():
    for label, shape in ((3, ()), (torch.tensor([3]), (1,)), ([0.0, 1.0], (2,)), (np.zeros((2, 2), np.int64), (2, 2))):
        assert stacked([take_apart((torch.zeros(2), label))] * 3, [0, 1, 2], GIVEN).labels.shape == (3, *shape)
    assert stacked([take_apart((torch.zeros(2), "ant"))], [0], GIVEN).labels.tolist() == ["ant"]


@pytest.mark.parametrize(
    ("items", "what"),
    [
        ([(torch.zeros(2), 1), (torch.zeros(3), 1)], "sample 7 is of shape 3, 5 of 2"),
        ([(torch.zeros(2), [1]), (torch.zeros(2), [1, 2])], "the label of sample 7 is of shape 2, 5 of 1"),
        ([(torch.zeros(2), 1), torch.zeros(2)], "sample 7 has other parts than sample 5"),
        ([("a", 1), ("b", 1)], "sample 5: a str, which holds no numbers"),
    ],
)
def test_what_does_not_go_together(items, what):
    with pytest.raises(SampleError, match=what):
        stacked([take_apart(item) for item in items], [5, 7], GIVEN)


def test_batches():
    batch = as_batch((torch.zeros(4, 2), torch.arange(4)), 4, GIVEN)
    assert are_same(batch, as_batch([np.zeros((4, 2)), np.arange(4)], None, GIVEN))
    assert not are_same(batch, Batch({"0": np.ones((4, 2))}, batch.labels))
    assert not are_same(batch, Batch(batch.inputs))
    with pytest.raises(SampleError, match="parts of 3, 4 samples"):
        as_batch((torch.zeros(4, 2), torch.arange(3)), None, GIVEN)
