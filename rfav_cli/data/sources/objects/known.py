"""What a data set knows of its samples without reading them: labels and the names of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import ConcatDataset, Subset, TensorDataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES = ("targets", "labels", "y", "_labels")
"""What data sets call all their labels."""
FILES = ("samples", "imgs", "_samples")
"""What they call pairs of a file and its label."""
COLUMNS = ("label", "labels", "fine_label")
"""What tables call that column."""


def labels_of(data: Any) -> NDArray[np.int64] | None:
    """(len(data),) whole numbers by which samples can be chosen evenly; None where only reading all would tell.

    What a sample's label is, is said by the sample itself.
    """
    try:
        return _labels(data)
    except Exception:  # these attributes may be anything, and mean anything
        return None


def classes_of(data: Any) -> tuple[str, ...]:
    """The names of a data set's classes in the order of their numbers; empty where it does not say."""
    for owner in _with_those_inside(data):
        names = getattr(owner, "classes", None)
        if names is None and (features := getattr(owner, "features", None)) is not None and hasattr(features, "get"):
            found = [getattr(features.get(column), "names", None) for column in COLUMNS]
            names = next((entry for entry in found if entry), None)
        if isinstance(names, Sequence) and not isinstance(names, str) and all(isinstance(name, str) for name in names):
            return tuple(names) if len(set(names)) == len(names) else ()
    return ()


def _labels(data: Any) -> NDArray[np.int64] | None:
    if isinstance(data, Subset):
        inner = labels_of(data.dataset)
        return None if inner is None else inner[np.asarray(data.indices, dtype=np.int64)]
    if isinstance(data, ConcatDataset):
        parts = [labels_of(part) for part in data.datasets]
        return None if any(part is None for part in parts) else np.concatenate([p for p in parts if p is not None])
    if isinstance(data, TensorDataset):
        return _whole(data.tensors[-1], len(data)) if len(data.tensors) > 1 else None
    for name in NAMES:
        if (found := _whole(getattr(data, name, None), len(data))) is not None:
            return found
    for name in FILES:
        pairs = getattr(data, name, None)
        if isinstance(pairs, list) and pairs and isinstance(pairs[0], tuple):
            return _whole([pair[-1] for pair in pairs], len(data))
    if hasattr(data, "column_names") and hasattr(data, "with_format"):
        column = next((name for name in COLUMNS if name in data.column_names), None)
        return None if column is None else _whole(list(data.with_format(None)[column]), len(data))
    return None


def _whole(values: Any, count: int) -> NDArray[np.int64] | None:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    if not isinstance(values, (np.ndarray, list, tuple)) or len(values) != count:
        return None
    array = np.asarray(values)
    array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    return array.astype(np.int64) if array.ndim == 1 and array.dtype.kind in "iu" else None


def _with_those_inside(data: Any) -> list[Any]:
    """The data set and those that it is a part of."""
    found = [data]
    while (inner := getattr(found[-1], "dataset", None)) is not None and len(found) < 8:
        found.append(inner)
    return found
