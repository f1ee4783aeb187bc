"""What data sets know without reading."""

from __future__ import annotations

import types

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset

from rfav_cli.data.sources.objects.known import classes_of, labels_of

Y = [2, 0, 1, 1]


class Known(Dataset):
    def __init__(self, **known):
        self.__dict__.update(known)

    def __len__(self):
        return 4

    def __getitem__(self, index):
        raise AssertionError("a sample is read")


FOUND = [
    Known(targets=Y),
    Known(labels=np.array(Y)),
    Known(y=torch.tensor(Y)),
    Known(targets=torch.tensor(Y)[:, None]),
    Known(samples=[(f"{n}.png", label) for n, label in enumerate(Y)]),
    TensorDataset(torch.zeros(4, 2), torch.tensor(Y)),
    Subset(Known(targets=[0, *Y[:3]]), [3, 1, 2, 2]),
]


@pytest.mark.parametrize("data", FOUND)
def test_labels_are_found(data):
    labels = labels_of(data)
    assert labels.dtype == np.int64
    expected = [Y[2], Y[0], Y[1], Y[1]] if isinstance(data, Subset) else Y
    assert labels.tolist() == expected


def test_joined_sets_have_all_labels_or_none():
    assert labels_of(ConcatDataset([Known(targets=Y), Known(labels=Y)])).tolist() == Y * 2
    assert labels_of(ConcatDataset([Known(targets=Y), Known()])) is None


class Raising(Known):
    @property
    def targets(self):
        raise OSError


@pytest.mark.parametrize(
    "data",
    [
        Known(),
        Known(targets=Y[:3]),
        Known(targets=["a"] * 4),
        Known(targets=[{"boxes": 1}] * 4),
        Known(targets=[0.5] * 4),
        Raising(),
        TensorDataset(torch.zeros(4, 2)),
        TensorDataset(torch.zeros(4, 2), torch.zeros(4)),
        3,
    ],
)
def test_what_is_no_row_of_labels_is_left(data):
    assert labels_of(data) is None


def test_classes():
    assert classes_of(Known(classes=["a", "b"])) == ("a", "b")
    assert classes_of(Subset(Subset(Known(classes=("a", "b")), [0]), [0])) == ("a", "b")
    features = {"label": types.SimpleNamespace(names=["a", "b"])}
    assert classes_of(types.SimpleNamespace(features=features)) == ("a", "b")
    for data in (Known(), Known(classes=3), Known(classes="ab"), Known(classes=["a", "a"]), Known(classes=[1])):
        assert classes_of(data) == ()
