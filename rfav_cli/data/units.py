"""The values that samples come in."""

from __future__ import annotations

from typing import Any

import numpy as np

Samples = np.ndarray[Any, np.dtype[np.uint8]] | np.ndarray[Any, np.dtype[np.float32]]

Preset = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and std, one value a channel, in units of 0..1 for images."""

BYTES, WORDS = 255.0, 65535.0
"""What whole numbers of 8 and of 16 bits are divided by, so that they lie between 0 and 1."""


def full_scale(dtype: np.dtype[Any]) -> float | None:
    """What pixels of a type are divided by, so that they lie between 0 and 1; None where no such type is an image's.

    >>> full_scale(np.dtype(np.uint8)), full_scale(np.dtype(">u2")), full_scale(np.dtype(np.int64))
    (255.0, 65535.0, None)
    """
    return {"u1": BYTES, "u2": WORDS}.get(dtype.str[1:])
