"""What figures of curves over the epochs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from rfav_cli.render.drawing.page import LINES, ONSET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from rfav_cli.render.drawing.selection import DrawnRun


def plot(axes: Axes, epochs: NDArray[np.int64], values: NDArray[np.float64], **style: Any) -> None:
    """A curve with gaps where there is no number, and dots where a point has no neighbours to be joined with."""
    finite = np.isfinite(values)
    axes.plot(epochs, np.where(finite, values, np.nan), **style)
    beside = np.pad(finite, 1)
    alone = finite & ~beside[:-2] & ~beside[2:]
    if alone.any():
        axes.plot(epochs[alone], values[alone], ".", color=style["color"], markersize=4, zorder=style.get("zorder", 2))


def epoch_axis(axes: Axes, epochs: Sequence[int], unit: str = "epoch") -> None:
    """Whole numbers from the first epoch (or step) to the last."""
    margin = 0.02 * (epochs[-1] - epochs[0]) or 0.5
    axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)
    axes.xaxis.set_major_locator(whole_numbers(8))
    axes.set_xlabel(unit)


def whole_numbers(most: int) -> MaxNLocator:
    """Marks at round epochs."""
    return MaxNLocator(nbins=most, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)


def mark_overfitting(axes: Axes, runs: Sequence[DrawnRun], epochs: Sequence[int], colours: Sequence[str] = ()) -> bool:
    """A vertical line at each onset of overfitting, in the style of its run; whether there is one.

    Where one run is drawn alone, the interval of its onset is shaded.
    """
    drawn = False
    for run, style, colour in zip(runs, LINES, colours or [ONSET] * len(LINES), strict=False):
        interval, onset = run.verdict.run.onset, run.onset
        if interval is None or onset is None or not epochs[0] <= onset <= epochs[-1]:
            continue
        axes.axvline(onset, color=colour, linestyle=style, linewidth=0.9, zorder=1)
        if len(runs) == 1 and interval.low < interval.high:
            axes.axvspan(max(interval.low, epochs[0]), min(interval.high, epochs[-1]), color="0.93", zorder=0)
        drawn = True
    return drawn


def key(colour: str, style: Any = "-", **properties: Any) -> Line2D:
    """A line for a legend."""
    return Line2D([], [], color=colour, linestyle=style, **properties)


def edges_between(epochs: Sequence[int]) -> NDArray[np.float64]:
    """Where the cells of epochs meet, (E + 1,): half way between them."""
    at = np.asarray(epochs, float)
    between = (at[1:] + at[:-1]) / 2
    first, last = (between[0] - at[0], at[-1] - between[-1]) if len(between) else (0.5, 0.5)
    return np.concatenate([[at[0] - first], between, [at[-1] + last]])
