"""Arrays as the front-end reads them: little-endian, quantised where it says so, deflated."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LEVELS = {"u1": 254, "u2": 65534}
"""Type -> steps from 0 to the top of what is quantised; the next code, the highest, is NaN."""


@dataclass(frozen=True, eq=False)
class Block:
    """One array of a run.

    Attributes:
        dtype: "u1", "u2", "u4", "i4" or "f4".
        shape: epochs first, but for what has none.
        read: gives the values, (*shape); floats where they are to be quantised.
        rows: the epochs that it holds, as indices; None for all, or where it has no epochs.
        top: values from 0 to this are quantised to `LEVELS`; None where they are not.
    """

    dtype: str
    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]
    rows: tuple[int, ...] | None = None
    top: float | None = None

    @property
    def size(self) -> int:
        """Bytes before deflating."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it."""
        described: dict[str, Any] = {"dtype": self.dtype, "shape": list(self.shape)}
        if self.rows is not None:
            described["rows"] = list(self.rows)
        if self.top is not None:
            described["quantised"] = {"top": self.top, "levels": LEVELS[self.dtype]}
        return described

    def packed(self) -> bytes:
        """The bytes, in the form that browsers call "deflate" (RFC 1950)."""
        values = self.read()
        if self.top is not None:
            values = quantise(values, self.top, self.dtype)
        return zlib.compress(np.ascontiguousarray(values, np.dtype(self.dtype).newbyteorder("<")).tobytes(), 6)


def in_memory(dtype: str, values: NDArray[Any], rows: tuple[int, ...] | None = None) -> Block:
    """A block of values that are there already."""
    return Block(dtype, values.shape, lambda: values, rows)


def smallest_type(values: NDArray[Any]) -> str:
    """The type that holds counts in the fewest bytes."""
    highest = int(values.max(initial=0))
    return next(name for name in ("u1", "u2", "u4") if highest <= np.iinfo(name).max)


def quantise(values: NDArray[Any], top: float, dtype: str = "u1") -> NDArray[Any]:
    """The nearest of equal steps from 0 to `top`.

    Args:
        values: any shape; what is beyond the ends counts as the end, what is not finite as NaN.
        top: ln D, in nats.
        dtype: a name in `LEVELS`.

    Returns:
        Codes: code / levels * top is within half a step of the value; levels + 1 is NaN.
    """
    levels = LEVELS[dtype]
    finite = np.isfinite(values)
    steps = np.zeros(np.shape(values), np.float32)
    if top > 0:
        # In float32: by itself, numpy takes the type of the values, and half precision has fewer digits than steps.
        np.multiply(values, levels / top, out=steps, where=finite, casting="unsafe", dtype=np.float32)
    codes: NDArray[Any] = np.where(finite, np.clip(np.rint(steps), 0, levels), levels + 1).astype(dtype)
    return codes
