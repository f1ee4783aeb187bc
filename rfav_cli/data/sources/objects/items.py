"""One sample of a user's data set, taken apart: what enters the net, and the label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

LABELS = ("labels", "label", "y", "targets", "target", "label_ids", "cls")
"""What people call a label in a dict."""
NUMBERS = frozenset({"idx", "id", "index", "indices", "sample_id", "image_id", "example_id", "__index_level_0__"})
"""What people call the number of a sample, which is no input."""
ALONE = "0"
"""The name of the only input, the first positional argument."""


class Unclear(Exception):  # noqa: N818
    """An item that cannot be told apart: what it is, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


@dataclass(frozen=True)
class Item:
    """A sample.

    Attributes:
        inputs: name of the net's argument -> array, number or picture; "0" and so on for positional ones.
        label: likewise, or None where the item has none.
        left: names of what does not enter the net.
    """

    inputs: dict[str, Any]
    label: Any = None
    left: tuple[str, ...] = ()


def take_apart(item: Any) -> Item:
    """Tell inputs and label of one item, or of one batch.

    >>> take_apart((np.zeros(3), 1)).label, list(take_apart({"pixel_values": np.zeros(3), "labels": 1}).inputs)
    (1, ['0'])

    Raises:
        Unclear: it is of no form that is known.
    """
    if isinstance(item, Mapping):
        return _of_mapping(item)
    if isinstance(item, (tuple, list)) and item and not _is_numbers(item):
        if len(item) == 1:
            return take_apart(item[0])
        if len(item) > 2 and _ends_in_label(item):
            return Item({str(place): part for place, part in enumerate(item[:-1])}, item[-1])
        if len(item) > 2:
            raise Unclear(
                f"it has {len(item)} parts, and which of them enter the net is not known",
                "Return (x, y), ((x1, x2), y), or a dict with the names of the net's arguments and 'labels'.",
            )
        inputs = take_apart(item[0]) if isinstance(item[0], Mapping) else Item(_inputs(item[0]))
        return Item(inputs.inputs, item[1], inputs.left)
    return Item(_inputs(item))


def _of_mapping(item: Mapping[Any, Any]) -> Item:
    names = [str(name) for name in item]
    labels = [name for name in names if name.lower() in LABELS]
    if len(labels) > 1:
        raise Unclear(
            f"which of {', '.join(map(repr, labels))} is the label is not known", "Keep one of them in the item."
        )
    inputs: dict[str, Any] = {}
    left = []
    for name, value in item.items():
        if name in labels:
            continue
        if value is None or _is_text(value) or (str(name).lower() in NUMBERS and np.ndim(value) < 2):
            left.append(str(name))
        else:
            inputs[str(name)] = value
    if not inputs:
        raise Unclear(f"no input among {', '.join(map(repr, names)) or 'nothing'}", "Return (x, y), or a dict of both.")
    if len(inputs) == 1:
        inputs = {ALONE: next(iter(inputs.values()))}
    return Item(inputs, item[labels[0]] if labels else None, tuple(left))


def _inputs(value: Any) -> dict[str, Any]:
    """What a part of an item gives the net: one input, or several by their place."""
    if isinstance(value, (tuple, list)) and value and not _is_numbers(value):
        return {str(place): entry for place, entry in enumerate(value)}
    return {ALONE: value}


def _is_numbers(value: tuple[Any, ...] | list[Any]) -> bool:
    """Whether a list is one of plain numbers, such as token ids, so an array; a pair is an input and its label."""
    return len(value) != 2 and all(isinstance(entry, (int, float)) for entry in value)


def _ends_in_label(parts: Any) -> bool:
    """Whether the last of several parts is a whole number a sample, and each part before it has more to it.

    So (token ids, mask, label) is told from (image, label, number of the sample).
    """
    try:
        *inputs, label = (as_array(part) for part in parts)
    except (Unclear, TypeError):
        return False
    return label.dtype == np.int64 and all(part.ndim > label.ndim for part in inputs)


def _is_text(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_text, value))
    return isinstance(value, (str, bytes))


def as_array(value: Any) -> np.ndarray[Any, Any]:
    """A value as it enters a net: uint8, float32 or int64; a picture stays one, (H, W) or (H, W, C).

    Raises:
        Unclear: it is no numbers.
    """
    if isinstance(value, Image.Image):
        raise TypeError("a picture")
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.is_quantized or value.is_complex():
            raise Unclear(f"a tensor of {value.dtype}, {value.layout}", "Give dense tensors of real numbers.")
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).as_subclass(torch.Tensor).numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise Unclear(f"a {type(value).__name__} that makes no array", "Give tensors or arrays.") from error
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what overflows is found where samples are looked at
            return array.astype(np.float32)
    if array.dtype.kind in "iub":
        return array if array.dtype == np.uint8 else array.astype(np.int64)
    raise Unclear(f"a {type(value).__name__}, which holds no numbers", "Give tensors or arrays.")
