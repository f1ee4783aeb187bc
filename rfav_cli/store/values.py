"""Whether the figures of a store can be: a share beyond 1 or an entropy above ln D was never measured.

A store may come from anyone, and a disk may change a bit. What cannot be is refused when it is read. NaN can be
anywhere: it stands for what has no figure. Losses are not looked at, since a task may have any.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rfav_cli.records import Run

SLACK = 2e-3
"""How far a figure may be beyond its limits, as a share of the upper one, of 1 at least: half precision rounds so."""

_SHARES = (
    "probe/accuracy",
    "probe/confidence",
    "probe/calibration_error",
    "probe/calibrated_error",
    "probe/sample_confidence",
    "train/accuracy",
    "train/confidence",
    "train/sample_confidence",
    "moved/disagreement",
    "moved/sample_disagreement",
    "activation/dead",
    "correlation/abs_mean",
)
_ENTROPIES = ("entropy/mean", "entropy/std", "entropy/sample_mean", "activation/shape")
_FILTERS = ("correlation/degenerate", "weights/nonfinite", "activation/rank")
_NOT_NEGATIVE = (
    "nonfinite",
    "correlation/histogram",
    "activation/scale",
    "probe/norm_shift",
    "probe/norm_variance",
    "probe/prediction_spread",
    "probe/sample_right",
    "probe/temperature",
    "moved/uncertainty",
    "moved/sample_uncertainty",
)
_OF_A_LAYER = re.compile(r"(entropy/mean_map|entropy/map|activation/winners)/(\d{1,6})", re.ASCII)
_MANY = 1 << 14
"""Numbers of which a second look takes longer than to spare it."""
_HALF = 2
"""Bytes of a number in half precision, with which numpy is slow."""


def what_cannot_be(name: str, values: NDArray[Any], run: Run, epochs: Sequence[int]) -> str:
    """What in a column cannot be, in words; empty where all can, and for a column that rfav does not know.

    Args:
        name: of the column.
        values: (E, ...) of numbers, in a shape that the column may have.
        run: gives the layers.
        epochs: E.
    """
    limits = _limits(name, run)
    if limits is None or not values.size:
        return ""
    if values.dtype.kind == "f" and values.dtype.itemsize == _HALF:
        values = values.astype(np.float32)
    low, high = limits
    tops = (high,) if isinstance(high, float) else high
    slack = SLACK * max([1.0, *(top for top in tops if top < math.inf)])
    if found := _beyond(values, low - slack, high + slack if isinstance(high, float) else np.array(high) + slack):
        top = high if isinstance(high, float) else high[found[1]]
        can_be = f"{low:g} to {top:.4g}" if top < math.inf else f"{low:g} or more"
        return f"{name} is {values[found]:.6g} {_place(name, found, run, epochs)}, and can be {can_be}"
    return _wrong_sum(name, values, run, epochs)


def _limits(name: str, run: Run) -> tuple[float, float | tuple[float, ...]] | None:
    """The lowest and the highest that a column can have, the latter for all or for each layer; None for any."""
    if name in _SHARES:
        return 0.0, 1.0
    if name == "correlation/mean":
        return -1.0, 1.0
    if name in _ENTROPIES and run.layers:
        return 0.0, tuple(layer.max_entropy for layer in run.layers)
    if name in _FILTERS and run.layers:
        return 0.0, tuple(float(layer.channels) for layer in run.layers)
    if name in _NOT_NEGATIVE:
        return 0.0, math.inf
    if name == "probe/sample_prediction":
        return -1.0, math.inf
    if numbered := _OF_A_LAYER.fullmatch(name):
        return 0.0, 1.0 if "winners" in numbered[1] else run.layers[int(numbered[2])].max_entropy
    return None


def _beyond(values: NDArray[Any], low: float, high: float | NDArray[np.float64]) -> tuple[int, ...]:
    """The index of the first value that is beyond its limits; empty where none is."""
    if values.size > _MANY and values.dtype.kind == "f" and _surely_within(values, high):
        return ()
    if isinstance(high, float):
        is_above = high < math.inf and np.fmax.reduce(values, axis=None) > high
    else:
        is_above = bool((np.fmax.reduce(values, axis=tuple(range(2, values.ndim))) > high).any())
        high = high.reshape(-1, *[1] * (values.ndim - 2))
    is_below = values.dtype.kind != "u" and not values.min() >= low and np.fmin.reduce(values, axis=None) < low
    if not is_above and not is_below:
        return ()
    return _first((values < low) | (values > high))


def _surely_within(values: NDArray[Any], high: float | NDArray[np.float64]) -> bool:
    """Whether floats are all between 0 and their limits, by one look at them.

    As an unsigned number, a float that is not negative grows with its value, and all negative ones and NaN are above.
    """
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    tops = np.atleast_1d(np.asarray(high, values.dtype)).view(unsigned)
    axes = tuple(range(2, values.ndim)) if isinstance(high, np.ndarray) else None
    return bool((values.view(unsigned).max(axis=axes) <= tops).all())


def _wrong_sum(name: str, values: NDArray[Any], run: Run, epochs: Sequence[int]) -> str:
    """What is wrong with what adds up: the shares of a layer's filters, or the pairs of a histogram."""
    if name.startswith("activation/winners/"):
        due, sums = "1", values.sum(-1)
        wrong = np.abs(sums - 1) > SLACK
    elif name == "correlation/histogram" and run.layers:
        due, sums = "the pairs of its filters at most", values.sum(-1)
        wrong = sums > np.array([math.comb(layer.channels, 2) for layer in run.layers], np.float64)
    else:
        return ""
    if not wrong.any():
        return ""
    found = _first(wrong)
    return f"{name} adds up to {sums[found]:.6g} {_place(name, found, run, epochs)}, and should to {due}"


def _first(wrong: NDArray[np.bool_]) -> tuple[int, ...]:
    """The index of the first that is."""
    return tuple(int(place) for place in np.argwhere(wrong)[0])


def _place(name: str, index: tuple[int, ...], run: Run, epochs: Sequence[int]) -> str:
    """The epoch and the layer of a value."""
    numbered = _OF_A_LAYER.fullmatch(name)
    of_layers = not name.startswith(("probe/", "train/", "moved/")) and len(index) > 1
    layer = int(numbered[2]) if numbered else index[1] if of_layers else None
    return f"at epoch {epochs[index[0]]}" + ("" if layer is None else f" in {run.layers[layer].name}")
