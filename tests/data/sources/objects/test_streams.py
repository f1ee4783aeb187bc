"""Samples that come one after the other."""

from __future__ import annotations

import pytest
import torch

from rfav_cli.data.sources.objects.rows import Given
from rfav_cli.data.sources.objects.streams import read_stream
from rfav_cli.errors import SampleError

GIVEN = Given("stream")
X, Y = torch.arange(10.0)[:, None], torch.arange(10) % 2


def values(rows):
    return rows.take(range(len(rows))).inputs["0"][:, 0].tolist()


def singles():
    yield from zip(X, Y, strict=True)


@pytest.mark.parametrize(
    "make",
    [
        singles,
        lambda: list(singles()),
        lambda: [(X[:4], Y[:4]), (X[4:], Y[4:])],
        lambda: [{"x": X[:9], "label": Y[:9]}, {"x": X[9:], "label": Y[9:]}],
    ],
)
@pytest.mark.parametrize("most", [None, 3, 10, 99])
def test_single_samples_and_batches(make, most):
    rows = read_stream(make(), GIVEN, most)
    assert values(rows) == list(range(10))[:most]
    assert rows.labels is None
    assert bool(rows.notes) == (most in (3, 10))
    assert not rows.differs([0])


def test_batches_without_labels_are_told_by_who_gives_them():
    assert len(read_stream([X[:4], X[4:]], GIVEN, None, batched=True)) == 10
    assert len(read_stream([X, X], GIVEN, None)) == 2


def test_a_stream_without_end_is_read_up_to_what_is_needed():
    taken = []

    def endless():
        while True:
            taken.append(0)
            yield X[0], 1

    assert len(read_stream(endless(), GIVEN, 5)) == 5
    assert len(taken) == 5


class Shuffled:
    def __iter__(self):
        return iter(X[torch.randperm(10)])


def test_another_order_each_time_differs():
    assert read_stream(Shuffled(), GIVEN, 5).differs([0])


def test_errors():
    def broken():
        yield X[0], 1
        raise OSError("gone")

    with pytest.raises(SampleError, match="--probe stream: item 1 raised OSError: gone"):
        read_stream(broken(), GIVEN, None)
    with pytest.raises(SampleError, match="gives no samples"):
        read_stream([], GIVEN, None)
    with pytest.raises(SampleError, match="item 0: it has 3 parts"):
        read_stream([(X[0], 1, 2)], GIVEN, None)
