"""Figures 7 and A.2: how the correlations of a layer's filters are spread, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.paper import results
from benchmarks.paper.experiments import of_figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from benchmarks.paper.experiments import Cell, Scale
    from rfav_cli.records import History

LOW_TO_HIGH = "YlGnBu"
"""From yellow to blue, as in the paper."""


def figure_7(scale: Scale, out: Path) -> Figure | None:
    """All layers of vanillaNet (a) and sr1Net (b), and the first of sr3Net (c)."""
    rows = [(of_figure(scale, name), first) for name, first in (("vanillaNet", 0), ("sr1Net", 0), ("sr3Net", 1))]
    return _drawn(rows, out, f"{' '.join(scale.figures)}")


def figure_a_2(scale: Scale, out: Path) -> Figure | None:
    """All layers of normNet and sr3Net, trained with Adam."""
    rows = [(of_figure(scale, name, optimizer="adam"), 0) for name in ("normNet", "sr3Net")]
    return _drawn(rows, out, f"{' '.join(scale.figures)}, Adam")


def shares(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Of all pairs of filters the share in each bin, for an image: correlations downward from 1.

    Args:
        counts: (E, bins), of one layer.

    Returns:
        (bins, E); NaN where there is no pair.
    """
    found = counts.astype(np.float64) / np.maximum(counts.sum(1, keepdims=True), 1)
    return np.asarray(np.where(found > 0, found, np.nan).T[::-1], np.float64)


def _drawn(rows: Sequence[tuple[Cell, int]], out: Path, title: str) -> Figure | None:
    """A row a net, a panel a layer.

    Args:
        rows: a training, and how many of its layers are shown; 0 for all.
        out: where the trainings are.
        title: above all.
    """
    from matplotlib import pyplot
    from matplotlib.colors import LogNorm

    import rfav_cli

    done = [results.is_done(out, cell) for cell, _ in rows]
    if not any(done):
        return None
    figure, axes = pyplot.subplots(len(rows), 5, figsize=(14, 2.5 * len(rows)), layout="constrained", squeeze=False)
    norm = LogNorm(vmin=1e-4, vmax=0.2)
    for letter, (cell, first), is_done, row in zip("abc", rows, done, axes, strict=False):
        name = f"({letter}) {cell.row.name}"
        if is_done:
            history = rfav_cli.open_store(out / cell.name / "rfav.h5")
            layers = history.run.layers[: first or None]
            for number, (layer, each) in enumerate(zip(layers, row, strict=False)):
                image = _panel(each, history, number, cell.epochs, norm)
                each.set_title(f"{name}, {layer.name}", fontsize=9)
        else:
            row[0].text(0.5, 0.5, f"{name}: not run", ha="center", va="center")
        for each in row:
            each.set_visible(bool(each.images or each.texts))
    figure.colorbar(image, ax=axes, label="share of the pairs of filters", extend="both")
    figure.suptitle(title, fontsize=10)
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel("correlation", fontsize=9)
    return figure


def _panel(axes: Any, history: History, number: int, epochs: int, norm: Any) -> Any:
    shown = history.epochs < epochs
    counts = np.asarray(history.columns["correlation/histogram"][:])[shown, number]
    first, last = history.epochs[shown][[0, -1]]
    extent = (first - 0.5, last + 0.5, -1, 1)
    return axes.imshow(
        shares(counts), cmap=LOW_TO_HIGH, norm=norm, extent=extent, aspect="auto", interpolation="nearest"
    )
