"""How far checkpoints are from one another, from the sketches that a store keeps of their weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SKETCH = 509
"""Numbers of a sketch, which `statistics.sketch` makes: lengths are off by 3 % (a standard deviation), scalar products
by 6 % of the lengths multiplied, and both by nothing in layers of no more weights than that."""

_ROUNDING = 1e-6


def distances(sketches: NDArray[Any]) -> NDArray[np.float64]:
    """How far each checkpoint's weights are from those of the checkpoint before, relative to the length of those.

    Args:
        sketches: (E, L, `SKETCH`) in the order of epochs.

    Returns:
        (E,), over the weights of all layers; 0 where they are the same, NaN for the first and where a sketch is missing
        or not finite.
    """
    return layer_distances(sketches.reshape(len(sketches), 1, math.prod(sketches.shape[1:])))[:, 0]


def layer_distances(sketches: NDArray[Any]) -> NDArray[np.float64]:
    """The same of each layer, (E, L)."""
    import numpy as np  # here, so that records load without it

    result = np.full(sketches.shape[:2], np.nan)
    if len(sketches) < 2 or not sketches.shape[2]:
        return result
    values = np.asarray(sketches, np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        moved, before = (np.linalg.norm(rows, axis=-1) for rows in (np.diff(values, axis=0), values[:-1]))
        relative = np.where(moved == 0, 0.0, moved / before)
    result[1:] = np.where(np.isfinite(relative), relative, np.nan)
    return result


def are_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether sketches (L, `SKETCH`) are of the same weights, but for the rounding of another machine."""
    import numpy as np

    return bool(np.linalg.norm(one - other) <= _ROUNDING * np.linalg.norm(one))
