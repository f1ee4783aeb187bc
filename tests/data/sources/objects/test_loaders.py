"""Loaders: which samples of their data set count, and how they are put together."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

from rfav_cli.data.sources.objects.loaders import from_loader
from rfav_cli.data.sources.objects.rows import Given
from rfav_cli.errors import SampleError

DATA = TensorDataset(torch.arange(10.0)[:, None], torch.arange(10) % 2)
GIVEN = Given("loader")


class Backwards(Sampler):
    def __iter__(self):
        return iter([7, 5, 3])


class Broken(Sampler):
    def __iter__(self):
        raise RuntimeError("no process group")


@pytest.mark.parametrize(
    ("loader", "numbers"),
    [
        (DataLoader(DATA, 4), range(10)),
        (DataLoader(DATA, 4, shuffle=True, drop_last=True), range(10)),
        (DataLoader(DATA, 4, sampler=SequentialSampler(DATA)), range(10)),
        (DataLoader(DATA, 4, sampler=RandomSampler(DATA, num_samples=3)), range(10)),
        (DataLoader(DATA, 4, sampler=SubsetRandomSampler([9, 2, 4])), [2, 4, 9]),
        (DataLoader(DATA, 4, sampler=WeightedRandomSampler([0.0, 1.0] * 5, 30)), [1, 3, 5, 7, 9]),
        (DataLoader(DATA, 4, sampler=Backwards()), [3, 5, 7]),
        (DataLoader(DATA, batch_sampler=BatchSampler(Backwards(), 2, drop_last=True)), [3, 5, 7]),
        (DataLoader(DATA, batch_sampler=[[8, 1], [0]]), [0, 1, 8]),
        (DataLoader(DATA, batch_size=None, sampler=Backwards()), [3, 5, 7]),
    ],
)
def test_the_samples_of_its_sampler_count(loader, numbers):
    rows = from_loader(loader, GIVEN, None)
    assert len(rows) == len(list(numbers))
    assert rows.take(range(len(rows))).inputs["0"][:, 0].tolist() == list(numbers)
    assert rows.labels.tolist() == [number % 2 for number in numbers]


def test_its_collate_fn_is_used():
    def doubled(items):
        x, y = default_collate(items)
        return 2 * x, y

    batch = from_loader(DataLoader(DATA, 4, collate_fn=doubled), GIVEN, None).take([3])
    assert batch.inputs["0"].tolist() == [[6]]
    broken = DataLoader(DATA, 4, collate_fn=lambda items: 1 / 0)
    with pytest.raises(SampleError, match="--probe loader: its collate_fn raised ZeroDivisionError"):
        from_loader(broken, GIVEN, None).take([3])
    short = DataLoader(DATA, 4, collate_fn=lambda items: default_collate(items[:1]))
    with pytest.raises(SampleError, match="a batch of it has parts of 1 samples"):
        from_loader(short, GIVEN, None).take([3, 4])


def test_errors():
    with pytest.raises(SampleError, match="its sampler raised RuntimeError: no process group"):
        from_loader(DataLoader(DATA, sampler=Broken()), GIVEN, None)
    with pytest.raises(SampleError, match="it gives no samples"):
        from_loader(DataLoader(DATA, sampler=SubsetRandomSampler([])), GIVEN, None)
