"""Arrays and numbers of NumPy in pickles that were read as data: NumPy is asked for nothing but plain numbers."""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rfav_cli.checkpoints.stand_ins import StandIn

_CODES = re.compile(r"[?bhilqBHILQefd]|[biuf]\d{1,2}")
_ARRAYS = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_BUFFERS = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")


def plain_dtype(made: Any) -> np.dtype[Any] | None:
    """The type of numbers that a pickled dtype is of, with its order of bytes; None for anything but plain numbers."""
    if type(made) is not StandIn or not made.args:
        return None
    code, state = made.args[0], made.state
    if type(code) is not str or not _CODES.fullmatch(code):
        return None
    big = isinstance(state, tuple) and len(state) > 1 and state[1] == ">"
    try:
        form: np.dtype[Any] = np.dtype(code)
    except TypeError:  # of a size that there is not
        return None
    ordered: np.dtype[Any] = form.newbyteorder(">" if big else "<")
    return ordered


def number_of(dtype: Any, raw: Any) -> int | float | bool | None:
    """A scalar of NumPy: a number, or None for anything that is no plain number.

    Args:
        dtype: as it was pickled.
        raw: its bytes; Python 2 wrote them as text.
    """
    data = raw.encode("latin-1") if isinstance(raw, str) else raw
    form = plain_dtype(dtype)
    if form is None or not isinstance(data, bytes) or len(data) != form.itemsize:
        return None
    number: int | float | bool = np.frombuffer(data, form)[0].item()
    return number


def tensor_of(made: StandIn) -> Tensor | None:
    """The tensor of a pickled array, a copy; None for anything that is no array of plain numbers."""
    raw, dtype, shape, by_column = _parts(made)
    form = plain_dtype(dtype)
    if form is None or not isinstance(raw, bytes) or not _is_shape(shape) or prod(shape) * form.itemsize != len(raw):
        return None
    try:
        array = np.frombuffer(raw, form).reshape(shape, order="F" if by_column is True else "C")
        return torch.from_numpy(array.astype(form.newbyteorder("="), order="C"))
    except (TypeError, ValueError):  # of a type that torch has not, or a shape that NumPy has not
        return None


def bytes_of(made: StandIn) -> bytes:
    """The bytes that the numbers of a pickled array are read from; several arrays may have them. None of others."""
    raw = _parts(made)[0]
    return raw if isinstance(raw, bytes) else b""


def _parts(made: StandIn) -> tuple[Any, Any, Any, Any]:
    """Bytes, type, shape and whether it is by columns; nothing of what is no array."""
    if made.kind in _ARRAYS and isinstance(made.state, tuple) and len(made.state) == 5:
        _, shape, dtype, by_column, raw = made.state
        return raw, dtype, shape, by_column
    if made.kind in _BUFFERS and len(made.args) == 4:
        raw, dtype, shape, order = made.args
        return raw, dtype, shape, order == "F"
    return None, None, None, None


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and len(shape) <= 32 and all(type(size) is int and size >= 0 for size in shape)
