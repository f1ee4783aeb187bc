"""What the output formats share: screens, curves, and text that is safe to show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.render.screen import Screen
from rfav_cli.text import CUT, count, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records import History

__all__ = ["SCHEMA", "Screen", "column", "count", "entropies", "finite_or_none", "shorten", "sparkline", "whole"]

SCHEMA = 1
"""Version of the documents that `--format json` prints; new keys do not raise it."""


def shorten(text: str, width: int, screen: Screen) -> str:
    """Untrusted text in at most `width` cells; the end of a dotted name or a path says more than its beginning."""
    from rich.cells import cell_len

    text = screen.encodable(whole(text))
    if cell_len(text) <= width:
        return text
    mark = CUT if screen.unicode else "~"
    end = text[-max(width - 1, 1) :]
    while cell_len(end) > width - 1:  # wide characters take two cells
        end = end[1:]
    return mark + end


def sparkline(values: NDArray[np.float64], low: float, high: float, width: int, screen: Screen) -> str:
    """A curve on one line.

    Args:
        values: (E,) with E > 0, along the epochs; a blank stands where a value is not finite.
        low: the value of the lowest mark.
        high: the value of the highest mark.
        width: the most cells; longer curves are shown by the means of equal stretches.
        screen: decides which characters there are.
    """
    marks = "▁▂▃▄▅▆▇█" if screen.unicode else "_.-~=+*#"
    line = ""
    for stretch in np.array_split(values, min(width, len(values))):
        finite = stretch[np.isfinite(stretch)]
        if finite.size:
            share = (float(finite.mean()) - low) / (high - low) if high > low else 0.0
            line += marks[min(max(int(share * len(marks)), 0), len(marks) - 1)]
        else:
            line += " "
    return line


def column(history: History, name: str) -> NDArray[np.float64]:
    """A column of the store in memory: (E,) for "probe/…", (E, L) for others; all NaN where the store has none."""
    if name in history.columns:
        return np.array(history.columns[name][:], dtype=np.float64)
    epochs, layers = len(history.checkpoints), len(history.run.layers)
    return np.full(epochs if name.startswith("probe/") else (epochs, layers), np.nan)


def entropies(history: History) -> NDArray[np.float64]:
    """Mean entropy, (E, L) in nats; NaN where a layer has one channel, whose entropy says nothing."""
    values = column(history, "entropy/mean")
    values[:, [layer.channels == 1 for layer in history.run.layers]] = np.nan
    return values


def finite_or_none(value: float) -> float | None:
    """The value, or None (JSON null, an empty cell) where it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None
