"""What is called for samples."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from rfav_cli.data.sources.objects.makers import called, is_maker
from rfav_cli.data.sources.objects.rows import Given
from rfav_cli.errors import SampleError

GIVEN = Given("maker")


class Callable:
    def __call__(self):
        return 3


class CallableSet(Callable):
    def __getitem__(self, index):
        return index


@pytest.mark.parametrize(
    ("value", "calls"),
    [
        (lambda: 3, True),
        (partial(int, 3), True),
        (Callable(), True),
        (CallableSet, True),
        (CallableSet(), False),
        (nn.Linear(2, 2), False),
        (TensorDataset(torch.zeros(1)), False),
        ((1, 2), False),
    ],
)
def test_what_is_called(value, calls):
    assert is_maker(value) is calls
    made, drawn = called(value, GIVEN)
    assert (made is not value) is calls
    assert not drawn


def test_whether_it_draws():
    assert called(lambda: torch.rand(()), GIVEN)[1]


def test_its_errors():
    with pytest.raises(SampleError, match=r"maker: making the samples raised TypeError.*\n.*without arguments"):
        called(lambda needed: needed, GIVEN)
