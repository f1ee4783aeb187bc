"""Samples of a user's object by their numbers, whatever it is: arrays, or items that are read one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from rfav_cli.data.sources.objects.items import Item, Unclear, as_array, take_apart
from rfav_cli.errors import RfavError, SampleError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Given:
    """What the user gave, for messages: "--probe my_pkg.data:val_set".

    Attributes:
        name: the specification, or what the object is called.
        option: that it was given with.
        remedy: what to do where a sample cannot be read.
    """

    name: str
    option: str = "--probe"
    remedy: str = "Put that right in your code."

    def __str__(self) -> str:
        return f"{self.option} {printable(self.name)}"


@dataclass(frozen=True)
class Batch:
    """Some samples.

    Attributes:
        inputs: name of the net's argument -> (n, ...) array, or n pictures.
        labels: (n, ...) as they come, or None.
        left: names of what does not enter the net.
    """

    inputs: dict[str, Any]
    labels: NDArray[Any] | None = None
    left: tuple[str, ...] = ()


class Rows(Protocol):
    """Samples by number.

    Attributes:
        labels: (len,) whole numbers to choose samples evenly by, or None where they are not known yet.
        classes: the names of the classes, or nothing.
        notes: what the user should be told.
    """

    labels: NDArray[np.int64] | None
    classes: tuple[str, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        """How many samples there are."""

    def take(self, numbers: Sequence[int]) -> Batch:
        """Some samples, at least one.

        Raises:
            SampleError: one cannot be read, or does not fit the others.
        """

    def differs(self, numbers: Sequence[int]) -> bool:
        """Whether samples are not the same when they are read twice."""


class ItemRows:
    """Items that are read one by one.

    Args:
        get: gives an item by its number, from 0 on.
        count: how many there are.
        given: for messages.
        numbers: of the items that count; all of them by default.
        labels: see `Rows`, of all items.
        classes: see `Rows`.
        collate: makes a batch of items, where the user has such a function.
        notes: see `Rows`.
    """

    def __init__(
        self,
        get: Callable[[int], Any],
        count: int,
        given: Given,
        *,
        numbers: NDArray[np.int64] | None = None,
        labels: NDArray[np.int64] | None = None,
        classes: tuple[str, ...] = (),
        collate: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        self._get, self._given, self._collate = get, given, collate
        self._numbers = np.arange(count) if numbers is None else numbers
        self.labels = labels if labels is None or numbers is None else labels[numbers]
        self.classes = classes
        self.notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._numbers)

    def take(self, numbers: Sequence[int]) -> Batch:
        """See `Rows`."""
        chosen = [int(self._numbers[number]) for number in numbers]
        items = [self._item(number) for number in chosen]
        if self._collate is None:
            return stacked(
                [self._apart(item, number) for item, number in zip(items, chosen, strict=True)], chosen, self._given
            )
        try:
            batch = self._collate(items)
        except Exception as error:
            raise SampleError(
                f"{self._given}: its collate_fn raised {named(error, part='all')}", "Put that right in your code."
            ) from error
        return as_batch(batch, len(items), self._given)

    def differs(self, numbers: Sequence[int]) -> bool:
        """See `Rows`."""
        from rfav_cli.chance import drawn_from

        readings = []
        for seed in (1, 2):
            with drawn_from(seed):
                readings.append(self.take(numbers))
        return not are_same(*readings)

    def _item(self, number: int) -> Any:
        try:
            return self._get(number)
        except RfavError:
            raise
        except Exception as error:
            raise SampleError(
                f"{self._given}: sample {number} raised {named(error, part='all')}", self._given.remedy
            ) from error

    def _apart(self, item: Any, number: int) -> Item:
        try:
            return take_apart(item)
        except Unclear as unclear:
            raise SampleError(f"{self._given}: sample {number}: {unclear.what}", unclear.remedy) from None


def stacked(items: Sequence[Item], numbers: Sequence[int], given: Given) -> Batch:
    """Items as one batch.

    Raises:
        SampleError: they differ in their parts or shapes.
    """
    first = items[0]
    for item, number in zip(items, numbers, strict=True):
        if item.inputs.keys() != first.inputs.keys() or (item.label is None) != (first.label is None):
            raise SampleError(
                f"{given}: sample {number} has other parts than sample {numbers[0]}", "Give samples of one form."
            )
    inputs = {name: _column([item.inputs[name] for item in items], numbers, given) for name in first.inputs}
    if first.label is None:
        return Batch(inputs, None, first.left)
    labels = [item.label for item in items]
    if isinstance(first.label, str):
        return Batch(inputs, np.asarray(labels), first.left)
    if isinstance(first.label, Image.Image):  # a mask
        labels = [np.asarray(label) for label in labels]
    return Batch(inputs, _column(labels, numbers, given, "the label of sample"), first.left)


def _column(values: Sequence[Any], numbers: Sequence[int], given: Given, what: str = "sample") -> Any:
    if isinstance(values[0], Image.Image):
        return list(values)
    arrays = []
    for value, number in zip(values, numbers, strict=True):
        try:
            arrays.append(as_array(value))
        except (Unclear, TypeError) as error:
            remedy = error.remedy if isinstance(error, Unclear) else "Give samples of one form."
            raise SampleError(f"{given}: {what} {number}: {printable(error)}", remedy) from None
        if arrays[-1].shape != arrays[0].shape:
            raise SampleError(
                f"{given}: {what} {number} is of shape {_shape(arrays[-1])}, {numbers[0]} of {_shape(arrays[0])}",
                "Bring images to one size with --resize or in your transform; pad sequences to one length there, or in "
                "the collate_fn of a DataLoader.",
            )
    return np.stack(arrays)


def as_batch(batch: Any, count: int | None, given: Given) -> Batch:
    """What a loader gives, as one batch.

    Raises:
        SampleError: it is no batch of so many samples.
    """
    try:
        item = take_apart(batch)
        inputs = {name: as_array(value) for name, value in item.inputs.items()}
        labels = None if item.label is None else as_array(item.label)
    except (Unclear, TypeError) as error:
        remedy = error.remedy if isinstance(error, Unclear) else "Have the loader give tensors."
        raise SampleError(f"{given}: a batch of it: {printable(error)}", remedy) from None
    lengths = {len(array) if array.ndim else 0 for array in (*inputs.values(), *([] if labels is None else [labels]))}
    if len(lengths) != 1 or (count is not None and lengths != {count}):
        raise SampleError(
            f"{given}: a batch of it has parts of {', '.join(map(str, sorted(lengths)))} samples",
            "Have the loader give as many labels as samples.",
        )
    return Batch(inputs, labels, item.left)


def are_same(one: Batch, other: Batch) -> bool:
    """Whether two readings gave the same."""
    pairs = [(one.inputs[name], other.inputs.get(name)) for name in one.inputs] + [(one.labels, other.labels)]
    return all(_equal(first, second) for first, second in pairs)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(one, other or (), strict=True))
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def _shape(array: NDArray[Any]) -> str:
    return "x".join(map(str, array.shape)) or "()"
