"""Columns of a store that have no place of their own in the documents: whatever a new statistic gives."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records.columns import is_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import Column, History

MOST = 1 << 14
"""Numbers of an epoch, beyond which a column is in the store alone."""

_NUMBERED = re.compile(r"(.+)/(\d{1,6})", re.ASCII)


def layer_columns(history: History) -> list[dict[str, Any]]:
    """Of each layer, the last epoch's numbers and lists under the names of their columns; all layers have all names.

    They come from a column with a number or a list for each layer, and from those that end in a layer's index
    ("my/figure/0", "my/figure/1", ...). What is not finite, or a layer has not, is None.
    """
    layers = len(history.run.layers)
    rows: list[dict[str, Any]] = [{} for _ in range(layers)]
    for name, column, shape in _unknown(history):
        if numbered := _of_one_layer(name, shape, layers):
            base, index = numbered
            for row in rows:
                row.setdefault(base, None)
            rows[index][base] = _plain(column[-1])
        elif shape[:1] == (layers,) and len(shape) <= 2:
            for row, values in zip(rows, column[-1], strict=True):
                row[name] = _plain(values)
    return rows


def epoch_columns(history: History) -> list[dict[str, Any]]:
    """Of each epoch, the numbers and lists that are of no layer, under the names of their columns."""
    layers = len(history.run.layers)
    rows: list[dict[str, Any]] = [{} for _ in range(len(history))]
    for name, column, shape in _unknown(history):
        if len(shape) <= 1 and shape != (layers,) and not _of_one_layer(name, shape, layers):
            for row, values in zip(rows, column[:], strict=True):
                row[name] = _plain(values)
    return rows


def _of_one_layer(name: str, shape: tuple[int, ...], layers: int) -> tuple[str, int] | None:
    """The name and the layer's index of a column that ends in one, and has a number or a list; else None."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None or int(numbered[2]) >= layers or len(shape) > 1:
        return None
    return numbered[1], int(numbered[2])


def _unknown(history: History) -> Iterator[tuple[str, Column, tuple[int, ...]]]:
    """Each such column that is small enough, with the shape of one epoch."""
    for name, column in sorted(history.columns.items()):
        shape = column.shape[1:]
        if len(history) and not is_known(name) and math.prod(shape) <= MOST:
            yield name, column, shape


def _plain(values: Any) -> Any:
    """A number or a list of numbers for JSON."""
    listed = np.asarray(values).tolist()
    if isinstance(listed, list):
        return [_plain(item) for item in listed]
    return listed if math.isfinite(listed) else None
