"""Samples that come one after the other: iterable data sets, generators and loaders of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from rfav_cli.chance import drawn_from
from rfav_cli.data.sources.objects.items import Item, Unclear, as_array, take_apart
from rfav_cli.data.sources.objects.rows import Batch, Given, are_same, as_batch, stacked
from rfav_cli.errors import RfavError, SampleError
from rfav_cli.text import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

FEW = 4
"""Items that are read twice, to see whether they are the same."""


class StreamRows:
    """Samples that were read from a stream, in their order; see `Rows`.

    Args:
        items: the samples, as they came.
        given: for messages.
        classes: see `Rows`.
        notes: see `Rows`.
        drawn: the stream gives others when it is read again.
    """

    def __init__(
        self, items: list[Item], given: Given, classes: tuple[str, ...], notes: tuple[str, ...], *, drawn: bool
    ) -> None:
        self._items, self._given, self._drawn = items, given, drawn
        self.classes, self.notes = classes, notes
        self.labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self._items)

    def take(self, numbers: Any) -> Batch:
        """See `Rows`."""
        return stacked([self._items[int(number)] for number in numbers], list(map(int, numbers)), self._given)

    def differs(self, numbers: Any) -> bool:  # noqa: ARG002 - known from when it was read
        """See `Rows`."""
        return self._drawn


def read_stream(
    stream: Iterable[Any], given: Given, most: int | None, *, classes: tuple[str, ...] = (), batched: bool | None = None
) -> StreamRows:
    """Read the first samples of a stream.

    All of it would have to be read to choose among them, and it may have no end.

    Args:
        stream: gives samples, or batches of them.
        given: for messages.
        most: how many are read; None for all.
        classes: the names of their classes.
        batched: it gives batches; None where each item tells: its label has an axis of as many as its samples.

    Raises:
        SampleError: it gives none, its code raised an error, or its samples are of no form that is known.
    """
    items = _first(stream, given, most, batched)
    if not items:
        raise SampleError(f"{given}: it gives no samples", "Give a stream that is not used up.")
    drawn = False
    if iter(stream) is not stream:  # it can be read again
        with drawn_from(1):
            again = _first(stream, given, min(FEW, len(items)), batched)
        few = list(range(len(again)))
        drawn = not are_same(stacked(items[: len(again)], few, given), stacked(again, few, given)) if again else True
    notes: tuple[str, ...] = ()
    if most is not None and len(items) == most:
        notes = (
            f"{given}: samples that come one after the other: the first {most:,} were taken, as they came, and not "
            "chosen evenly over the classes",
        )
    return StreamRows(items, given, classes, notes, drawn=drawn)


def _first(stream: Iterable[Any], given: Given, most: int | None, batched: bool | None) -> list[Item]:
    items: list[Item] = []
    for number, entry in enumerate(_guarded(stream, given)):
        try:
            apart = take_apart(entry)
            in_batch = _is_batch(apart) if batched is None else batched
        except Unclear as unclear:
            raise SampleError(f"{given}: item {number}: {unclear.what}", unclear.remedy) from None
        items += _singles(as_batch(entry, None, given)) if in_batch else [apart]
        if most is not None and len(items) >= most:
            return items[:most]
    return items


def _guarded(stream: Iterable[Any], given: Given) -> Iterator[Any]:
    number = 0
    try:
        for entry in stream:
            yield entry
            number += 1
    except RfavError:
        raise
    except Exception as error:
        raise SampleError(
            f"{given}: item {number} raised {named(error, part='all')}", "Put that right in your code."
        ) from error


def _is_batch(item: Item) -> bool:
    """Whether an item holds several samples: a label for each, along the first axis of the input."""
    if item.label is None or isinstance(item.label, str):
        return False
    label, samples = as_array(item.label), next(iter(item.inputs.values()))
    if label.ndim != 1 or label.dtype != np.int64 or isinstance(samples, Image.Image):
        return False
    return np.ndim(samples) > 1 and len(samples) == len(label)


def _singles(batch: Batch) -> list[Item]:
    count = len(next(iter(batch.inputs.values())))
    return [
        Item(
            {name: array[row] for name, array in batch.inputs.items()},
            None if batch.labels is None else batch.labels[row],
            batch.left,
        )
        for row in range(count)
    ]
