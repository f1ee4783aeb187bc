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

_SHARES = ("probe/accuracy", "probe/sample_confidence", "activation/dead", "correlation/abs_mean")
_ENTROPIES = ("entropy/mean", "entropy/std", "entropy/sample_mean")
_FILTERS = ("correlation/degenerate", "correlation/nonfinite")
_OF_A_LAYER = re.compile(r"(entropy/mean_map|entropy/map|activation/winners)/(\d{1,6})", re.ASCII)
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
    slack = SLACK * max(float(np.max(high, initial=0)) if np.isfinite(high).all() else 1.0, 1.0)
    if found := _beyond(values, low - slack, high + slack):
        return f"{name} is {values[found]:.6g} {_place(name, found, run, epochs)}, and can be {_range(low, high, found)}"
    return _wrong_sum(name, values, run, epochs)


def _limits(name: str, run: Run) -> tuple[float, NDArray[np.float64]] | None:
    """The lowest and the highest that a column can have, the latter for each layer or for all; None for any."""
    if name in _SHARES:
        return 0.0, np.array(1.0)
    if name == "correlation/mean":
        return -1.0, np.array(1.0)
    if name in _ENTROPIES:
        return 0.0, np.array([layer.max_entropy for layer in run.layers])
    if name in _FILTERS:
        return 0.0, np.array([float(layer.channels) for layer in run.layers])
    if name in {"nonfinite", "correlation/histogram"}:
        return 0.0, np.array(np.inf)
    if name == "probe/sample_prediction":
        return -1.0, np.array(np.inf)
    if numbered := _OF_A_LAYER.fullmatch(name):
        return 0.0, np.array(1.0 if "winners" in numbered[1] else run.layers[int(numbered[2])].max_entropy)
    return None


def _beyond(values: NDArray[Any], low: float, high: NDArray[np.float64]) -> tuple[int, ...]:
    """The index of the first value that is beyond its limits; empty where none is."""
    if low <= values.min() and values.max() <= high.min():  # the fast way, which no NaN takes
        return ()
    if high.ndim:
        high = high.reshape(-1, *[1] * (values.ndim - 2))
    beyond = (values < low) | (values > high)
    return tuple(int(axis[0]) for axis in beyond.nonzero()) if beyond.any() else ()


def _wrong_sum(name: str, values: NDArray[Any], run: Run, epochs: Sequence[int]) -> str:
    """What is wrong with what adds up: the shares of a layer's filters, or the pairs of a histogram."""
    if name.startswith("activation/winners/"):
        sums = values.sum(-1, dtype=np.float64)
        wrong = np.abs(sums - 1) > SLACK
        due = "1"
    elif name == "correlation/histogram":
        sums = values.sum(-1, dtype=np.float64)
        wrong = sums > np.array([math.comb(layer.channels, 2) for layer in run.layers], np.float64)
        due = "the pairs of its filters at most"
    else:
        return ""
    if not wrong.any():
        return ""
    found = tuple(int(axis[0]) for axis in wrong.nonzero())
    return f"{name} adds up to {sums[found]:.6g} {_place(name, found, run, epochs)}, and should to {due}"


def _place(name: str, index: tuple[int, ...], run: Run, epochs: Sequence[int]) -> str:
    """The epoch and the layer of a value."""
    numbered = _OF_A_LAYER.fullmatch(name)
    of_layers = not name.startswith("probe/") and len(index) > 1
    layer = int(numbered[2]) if numbered else index[1] if of_layers else None
    return f"at epoch {epochs[index[0]]}" + ("" if layer is None else f" in {run.layers[layer].name}")


def _range(low: float, high: NDArray[np.float64], index: tuple[int, ...]) -> str:
    top = float(high[index[1]]) if high.ndim else float(high)
    return f"{low:g} to {top:.4g}" if math.isfinite(top) else f"{low:g} or more"
