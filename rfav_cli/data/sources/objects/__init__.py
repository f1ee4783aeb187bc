"""Samples that are objects in Python: data sets, loaders, tensors and arrays, and what returns one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from rfav_cli.chance import drawn_from
from rfav_cli.data.sources.objects.arrays import in_memory
from rfav_cli.data.sources.objects.containers import is_set, one_of
from rfav_cli.data.sources.objects.known import classes_of, labels_of
from rfav_cli.data.sources.objects.loaders import from_loader
from rfav_cli.data.sources.objects.makers import called
from rfav_cli.data.sources.objects.rows import Given, ItemRows, Rows
from rfav_cli.data.sources.objects.source import ObjectSource
from rfav_cli.data.sources.objects.streams import read_stream
from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source

Within: TypeAlias = "Callable[[], AbstractContextManager[None]]"
REMEDY = "Give a torch Dataset or DataLoader, (x, y) as tensors or arrays, or a function that returns one of them."
DIFFERENT = "a call draws at random which samples it gives, so they may be among those that the net was trained on"


def open_object(
    value: Any,
    location: Location,
    options: SampleOptions,
    within: Within = nullcontext,
    keys: tuple[int | str, ...] = (),
) -> Source:
    """Open samples that are an object.

    Args:
        value: a data set (map-style or iterable), a loader, (x, y), x, a dict of them, or a callable without arguments
            that returns one of them.
        location: what it is called, the option that it was given with, and how many samples are needed.
        options: how its samples are read.
        within: what its code runs in.
        keys: of the entry that is meant, where it holds several.

    Raises:
        SampleError: it is nothing of that, or its code raised an error.
    """
    opening = _Opening(location, options, within, keys)
    with within():
        found, drawn = called(value, opening.given)
        source = opening.source_of(found)
        if drawn and opening.gives_others(value, source):
            source.drawn = DIFFERENT
    return source


@dataclass(frozen=True)
class _Opening:
    """How an object is opened; the attributes are the arguments of `open_object`."""

    location: Location
    options: SampleOptions
    within: Within
    keys: tuple[int | str, ...]

    @property
    def given(self) -> Given:
        """What messages call it."""
        return Given(self.location.name, self.location.option)

    def source_of(self, value: Any) -> Source:
        """An object as a source.

        Raises:
            SampleError: it is no samples.
        """
        value, note = one_of(value, self.given, self.keys)
        source = in_memory(_tensors(value), self.location, self.options)
        source = source or ObjectSource(self._rows(value), self.location, self.options, self.within)
        source.notes = (*filter(None, [note]), *source.notes)
        return source

    def gives_others(self, maker: Any, source: Source) -> bool:
        """Whether another call of what made the samples gives others."""
        with drawn_from(1):
            other = self.source_of(maker())
        if len(other) != len(source):
            return True
        rows = np.arange(min(4, len(source)))
        with drawn_from(0):
            first = source.read(rows)
        with drawn_from(0):
            return not _same(first, other.read(rows))

    def _rows(self, value: Any) -> Rows:
        most, given = self.location.most, self.given
        if isinstance(value, DataLoader):
            return from_loader(value, given, most)
        if isinstance(value, (str, bytes, Mapping, torch.nn.Module)) and not is_set(value):
            raise _no_samples(value, given)
        if isinstance(value, (list, tuple)) and not value:
            raise _no_samples(value, given)
        is_map_style = hasattr(value, "__getitem__") and hasattr(value, "__len__")
        if is_map_style and not isinstance(value, IterableDataset):
            return ItemRows(value.__getitem__, len(value), given, labels=labels_of(value), classes=classes_of(value))
        if isinstance(value, Iterable):
            return read_stream(value, given, most, classes=classes_of(value))
        raise _no_samples(value, given)


def _tensors(value: Any) -> Any:
    """The tensors of a TensorDataset; a class made of it may do more than give them."""
    if type(value) is not TensorDataset:
        return value
    return value.tensors if len(value.tensors) != 1 else value.tensors[0]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return np.array_equal(one, other)


def _no_samples(value: Any, given: Given) -> SampleError:
    kind = printable(type(value).__name__)
    if isinstance(value, Mapping) and value:
        names = ", ".join(printable(name, 40) for name in list(value)[:6])
        return SampleError(f"{given}: a {kind} with {names} is no samples", f"Give one of its entries. {REMEDY}")
    return SampleError(f"{given}: an object of type {kind} is no samples", REMEDY)
