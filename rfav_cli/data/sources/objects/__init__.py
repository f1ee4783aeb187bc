"""Samples that are objects in Python: data sets, loaders, tensors and arrays, and what returns one of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from rfav_cli.chance import drawn_from, positions
from rfav_cli.data.sources.objects.arrays import in_memory, is_array
from rfav_cli.data.sources.objects.known import classes_of, labels_of
from rfav_cli.data.sources.objects.loaders import from_loader
from rfav_cli.data.sources.objects.rows import Given, ItemRows, Rows
from rfav_cli.data.sources.objects.source import ObjectSource
from rfav_cli.data.sources.objects.streams import read_stream
from rfav_cli.errors import RfavError, SampleError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source

Within: TypeAlias = "Callable[[], AbstractContextManager[None]]"
REMEDY = "Give a torch Dataset or DataLoader, (x, y) as tensors or arrays, or a function that returns one of them."
DIFFERENT = "a call draws at random which samples it gives, so they may be among those that the net was trained on"


def open_object(value: Any, location: Location, options: SampleOptions, within: Within = nullcontext) -> Source:
    """Open samples that are an object.

    Args:
        value: a data set (map-style or iterable), a loader, (x, y), x, a dict of them, or a callable without arguments
            that returns one of them.
        location: what it is called, the option that it was given with, and how many samples are needed.
        options: how its samples are read.
        within: what its code runs in.

    Raises:
        SampleError: it is nothing of that, or its code raised an error.
    """
    with within():
        found, drawn = _called(value, location)
        source = _opened(found, location, options, within)
        if drawn and _gives_others(value, source, location, options):
            source.drawn = DIFFERENT
    return source


def _called(value: Any, location: Location) -> tuple[Any, bool]:
    """What a callable returns, and whether it drew random numbers; what is none is taken as it is."""
    if not _is_maker(value):
        return value, False
    where, before = f"{location.option} {printable(location.name)}", positions()
    try:
        made = value()
    except RfavError:
        raise
    except Exception as error:
        needs = "" if _takes_nothing(value) else " It is called without arguments."
        raise SampleError(
            f"{where}: making the samples raised {named(error, part='all')}", f"Put that right.{needs}"
        ) from error
    return made, positions() != before


def _is_maker(value: Any) -> bool:
    """Whether it is called for the samples: a function or a class, not a data set that can be called as well."""
    if isinstance(value, torch.nn.Module):
        return False
    return callable(value) and (isinstance(value, type) or not hasattr(value, "__getitem__"))


def _takes_nothing(value: Any) -> bool:
    try:
        inspect.signature(value).bind()
    except TypeError:
        return False
    except ValueError:  # a built-in that has no signature
        return True
    return True


def _gives_others(value: Any, source: Source, location: Location, options: SampleOptions) -> bool:
    """Whether another call gives other samples."""
    with drawn_from(1):
        other = _opened(value(), location, options)
    if len(other) != len(source):
        return True
    rows = np.arange(min(4, len(source)))
    with drawn_from(0):
        first = source.read(rows)
    with drawn_from(0):
        return not _same(first, other.read(rows))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return np.array_equal(one, other)


def _opened(value: Any, location: Location, options: SampleOptions, within: Within = nullcontext) -> Source:
    given = Given(location.name, location.option)
    if isinstance(value, TensorDataset):
        value = value.tensors if len(value.tensors) != 1 else value.tensors[0]
    if isinstance(value, DataLoader):
        return ObjectSource(from_loader(value, given, location.most), location, options, within)
    if (source := in_memory(value, location, options)) is not None:
        return source
    if isinstance(value, Mapping) and not hasattr(value, "column_names"):
        raise _no_samples(value, given)
    is_map_style = hasattr(value, "__getitem__") and hasattr(value, "__len__")
    if is_map_style and not isinstance(value, (str, bytes, IterableDataset, torch.nn.Module)):
        if isinstance(value, (list, tuple)) and not _are_samples(value):
            raise _no_samples(value, given)
        rows: Rows = ItemRows(value.__getitem__, len(value), given, labels=labels_of(value), classes=classes_of(value))
        return ObjectSource(rows, location, options, within)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        stream = read_stream(value, given, location.most, classes=classes_of(value))
        return ObjectSource(stream, location, options, within)
    raise _no_samples(value, given)


def _are_samples(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether the entries of a list can be samples: not two data sets, nor nothing at all."""
    return bool(values) and not any(hasattr(entry, "__getitem__") and _is_set(entry) for entry in values[:2])


def _is_set(entry: Any) -> bool:
    return isinstance(entry, (DataLoader, torch.utils.data.Dataset))


def _no_samples(value: Any, given: Given) -> SampleError:
    kind = printable(type(value).__name__)
    if isinstance(value, (list, tuple)) and value:
        kind += f" of {', '.join(printable(type(entry).__name__) for entry in value[:4])}"
    if isinstance(value, Mapping) and value:
        names = ", ".join(printable(name, 40) for name in list(value)[:6])
        return SampleError(f"{given}: a {kind} with {names}", f"Give one of its entries. {REMEDY}")
    if is_array(value):
        return SampleError(f"{given}: an array of shape {tuple(value.shape)} is no samples", REMEDY)
    return SampleError(f"{given}: an object of type {kind} is no samples", REMEDY)
