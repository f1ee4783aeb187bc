"""The values that samples come in."""

from __future__ import annotations

from typing import Any

import numpy as np

Samples = (
    np.ndarray[Any, np.dtype[np.uint8]]
    | np.ndarray[Any, np.dtype[np.float32]]
    | np.ndarray[Any, np.dtype[np.int64]]
    | np.ndarray[Any, np.dtype[np.bool_]]
)
"""Of one input: bytes, which are divided by 255 on their way into the net; numbers; or whole numbers and truths, which
stay what they are, as token ids and masks."""

Arrays = Samples | dict[str, Samples]
"""Of one input, or of several by the names of the arguments of the net's forward; a name of decimal digits is the place
of a positional argument."""

Labels = np.ndarray[Any, np.dtype[Any]]
"""(N,) int64 classes; (N,) or (N, K) 0 and 1; numbers (N, ...) as floating-point ones; (N, H, W) whole: of pixels."""

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
