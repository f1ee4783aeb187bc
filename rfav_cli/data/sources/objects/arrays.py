"""Tensors and arrays in memory: x, (x, y), or a dict of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.data.layouts import tell_layout
from rfav_cli.data.sources.arrays import ArraySource
from rfav_cli.data.sources.base import check_labels, full_scale, order_classes
from rfav_cli.data.sources.objects.items import Item, Unclear, as_array, take_apart
from rfav_cli.data.sources.objects.rows import Batch, Given
from rfav_cli.data.sources.objects.source import ObjectSource
from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source


class ArrayRows:
    """Samples out of tensors or arrays; see `Rows`.

    Args:
        item: all of them, taken apart.
        given: for messages.
    """

    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(self, item: Item, given: Given) -> None:
        self._item, self._given = item, given
        labels = None if item.label is None else as_array(item.label)
        self.labels = labels if labels is not None and labels.ndim == 1 and labels.dtype == np.int64 else None
        self._labels = labels

    def __len__(self) -> int:
        return len(next(iter(self._item.inputs.values())))

    def take(self, numbers: Sequence[int]) -> Batch:
        """See `Rows`."""
        rows = np.asarray(numbers, dtype=np.int64)
        inputs = {name: as_array(value[rows]) for name, value in self._item.inputs.items()}
        return Batch(inputs, None if self._labels is None else self._labels[rows], self._item.left)

    def differs(self, numbers: Sequence[int]) -> bool:  # noqa: ARG002 - they lie in memory
        """See `Rows`."""
        return False


def is_array(value: Any) -> bool:
    """Whether it is a tensor or an array with an axis of samples."""
    return isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim > 0


def in_memory(value: Any, location: Location, options: SampleOptions) -> Source | None:
    """Samples that lie in memory, or None where the object is no tensors and no arrays.

    Whole numbers of 8 and 16 bits are images, and arrays of numpy are read as a file of them would be. All else is
    taken as it is.

    Raises:
        SampleError: there are not as many labels as samples, or their axes cannot be told.
    """
    entries = list(value.values()) if isinstance(value, Mapping) else value
    alone = is_array(value)
    parts = isinstance(value, (tuple, Mapping)) or (isinstance(value, list) and len(value) == 2)  # or it lists samples
    together = parts and len(entries) > 1 and all(map(is_array, entries))
    if not alone and not together:
        return None
    given = Given(location.name, location.option)
    try:
        item = take_apart(value)
    except Unclear as unclear:
        raise SampleError(f"{given}: {unclear.what}", unclear.remedy) from None
    lengths = [len(part) for part in (*item.inputs.values(), *([] if item.label is None else [item.label]))]
    if len({*lengths}) > 1:
        counts = ", ".join(map(str, lengths))
        raise SampleError(f"{given}: parts of {counts} samples", "Give as many labels as samples.")
    if not lengths[0]:
        raise SampleError(f"{given}: no samples in it", "Give some.")
    if len(item.inputs) == 1 and (source := _as_file(item, location, options)) is not None:
        return source
    return ObjectSource(ArrayRows(item, given), location, options)


def _as_file(item: Item, location: Location, options: SampleOptions) -> Source | None:
    """What is read as a file of arrays would be: images of bytes, and arrays of numpy; None for all else."""
    samples = next(iter(item.inputs.values()))
    is_bytes = samples.dtype in (torch.uint8, np.uint8)
    array: NDArray[Any] = samples.detach().cpu().numpy() if isinstance(samples, torch.Tensor) else samples
    if not is_bytes and (isinstance(samples, torch.Tensor) or not _is_of_pixels(array)):
        return None
    where = Path(location.name)
    layout = tell_layout(array.shape, array.dtype, options.layout, where)
    labels = None if item.label is None else check_labels(as_array(item.label), len(array), where)
    ordered, classes = order_classes(labels, (), options, where)
    source = ArraySource(location.name, array, ordered, classes, layout, options, where=where)
    if is_bytes:
        what = f"{location.option} {printable(location.name)}"
        source.notes = (*source.notes, f"{what}: its bytes are divided by 255 before they enter the net")
    return source


def _is_of_pixels(array: NDArray[Any]) -> bool:
    """Floating-point numbers, or whole ones that pixels have; other whole numbers are tokens."""
    return array.dtype.kind == "f" or full_scale(array.dtype) is not None
