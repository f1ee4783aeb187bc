"""A torch DataLoader: its data set read by numbers where that can be, with the collate_fn that it has."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    default_collate,
    default_convert,
)

from rfav_cli.chance import drawn_from
from rfav_cli.data.sources.objects.known import classes_of, labels_of
from rfav_cli.data.sources.objects.rows import Given, ItemRows, Rows
from rfav_cli.data.sources.objects.streams import read_stream
from rfav_cli.errors import SampleError
from rfav_cli.text import named

if TYPE_CHECKING:
    from numpy.typing import NDArray


def from_loader(loader: DataLoader[Any], given: Given, most: int | None) -> Rows:
    """The samples that a loader gives in an epoch, whatever their order.

    Args:
        loader: the loader. Those of its sampler count, where it leaves some out.
        given: for messages.
        most: how many are needed where they can only be read one after the other; None for all.

    Raises:
        SampleError: its code raised an error, or gives nothing.
    """
    data: Any = loader.dataset
    own = loader.collate_fn not in (default_collate, default_convert)
    is_stream = isinstance(data, IterableDataset) or not (hasattr(data, "__getitem__") and hasattr(data, "__len__"))
    if is_stream and own and loader.batch_size is not None:
        return read_stream(loader, given, most, classes=classes_of(data), batched=True)
    if is_stream:
        return read_stream(data, given, most, classes=classes_of(data))
    try:
        numbers = _numbers(loader, len(data))
    except Exception as error:
        raise SampleError(f"{given}: its sampler raised {named(error, part='all')}", "Put that right.") from error
    if not len(numbers):
        raise SampleError(f"{given}: it gives no samples", "Give a loader of held-out samples.")
    return ItemRows(
        data.__getitem__,
        len(data),
        given,
        numbers=numbers,
        labels=labels_of(data),
        classes=classes_of(data),
        collate=loader.collate_fn if own and loader.batch_size != 0 else None,
    )


def _numbers(loader: DataLoader[Any], count: int) -> NDArray[np.int64]:
    """The numbers of the samples that a loader gives, ascending."""
    batches: Any = loader.batch_sampler
    sampler: Any = batches.sampler if type(batches) is BatchSampler else loader.sampler
    if type(batches) is not BatchSampler and batches is not None:
        sampler = batches
    if isinstance(sampler, (SequentialSampler, RandomSampler)):
        return np.arange(count)
    if isinstance(sampler, SubsetRandomSampler):
        return np.unique(np.asarray(sampler.indices, dtype=np.int64))
    if isinstance(sampler, WeightedRandomSampler):
        return np.flatnonzero(np.asarray(sampler.weights) > 0)
    with drawn_from(0):
        drawn = list(islice(iter(sampler), 4 * count))
    if drawn and not isinstance(drawn[0], int) and np.ndim(drawn[0]):
        drawn = list(chain.from_iterable(drawn))
    return np.unique(np.asarray([int(number) for number in drawn], dtype=np.int64))
