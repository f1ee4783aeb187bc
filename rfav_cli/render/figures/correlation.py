"""Figures 7 and A.2: histograms of the correlations between a layer's filters over the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.ticker import FuncFormatter

from rfav_cli.errors import StoreError
from rfav_cli.render.drawing.curves import edges_between, mark_overfitting, whole_numbers
from rfav_cli.render.drawing.page import colormap, literal, new_page, styled
from rfav_cli.render.drawing.selection import chosen_epochs, chosen_layers, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from rfav_cli.render.drawing.page import Page
    from rfav_cli.render.drawing.selection import DrawnRun, FigureOptions

COLUMN = "correlation/histogram"
WIDTH, PANEL = 7.0, 1.5
"""Inches of the page, and of a row of panels in height."""
ACROSS, MOST = 6, 12
"""Panels beside each other, and layers that are drawn where none are named."""
LETTER = 0.064
"""Inches of a letter of a layer's name."""
BINS = np.linspace(-1.005, 1.005, 202)
"""Edges of the coefficients, which are rounded to two decimals."""


def draw(runs: Sequence[DrawnRun], options: FigureOptions) -> Page:
    """A panel a layer, a row a run; low counts are yellow, high ones blue, on one scale for each layer.

    Raises:
        StoreError: a run has no histograms.
    """
    for run in runs:
        if COLUMN not in run.history.columns:
            raise StoreError(f"{run.history.path}: has no histograms of correlations", "Analyze it anew.")
    layers, epochs = chosen_layers(runs, options, MOST), chosen_epochs(runs, options)
    lines = [layers[start : start + ACROSS] for start in range(0, len(layers), ACROSS)]
    across = max(map(len, lines))
    width = options.width or max(WIDTH * min(across / 5, 1.0), 2.4)
    colours = colormap(options.colormap)
    with styled():
        page = new_page(width, (PANEL * len(runs) + 0.55) * len(lines) + 0.15, layout="constrained")
        parts = page.subfigures(len(lines), 1, squeeze=False)[:, 0]
        for part, names in zip(parts, lines, strict=True):
            panels = part.subplots(len(runs), across, sharex=True, sharey=True, squeeze=False)
            for place, column in enumerate(panels.T):
                if place < len(names):
                    title = literal(names[place], max(int(width / across / LETTER) - 2, 6))
                    column[0].set_title(title, fontsize=7)
                    _draw_layer(column, names[place], runs, epochs, colours, log=options.log_counts)
                else:
                    for axes in column:
                        axes.set_axis_off()
            for number, (axes, run) in enumerate(zip(panels[:, 0], runs, strict=True)):
                letter = f"({'abcdefgh'[number]}) {literal(run.name, 22)}\n" if len(runs) > 1 else ""
                axes.set_ylabel(f"{letter}coefficient")
            for axes in panels[-1, : len(names)]:
                axes.set_xlabel(unit_of(runs))
    return page


def _draw_layer(
    column: Sequence[Axes], name: str, runs: Sequence[DrawnRun], epochs: Sequence[int], colours: Any, *, log: bool
) -> None:
    """One layer in all runs, above the scale of its counts."""
    counts = [_counts(run, name, epochs) for run in runs]
    most = max((float(np.nanmax(values)) for values in counts if np.isfinite(values).any()), default=0.0)
    norm = _norm(most, log=log)
    for axes, run, values in zip(column, runs, counts, strict=True):
        drawn = axes.pcolormesh(edges_between(epochs), BINS, values.T, cmap=colours, norm=norm, rasterized=True)
        axes.set_ylim(-1, 1)
        axes.set_yticks([-1, -0.5, 0, 0.5, 1])
        axes.xaxis.set_major_locator(whole_numbers(4))
        axes.spines[["top", "right"]].set_visible(True)
        mark_overfitting(axes, [run], epochs)
        if not np.nansum(values):
            why = "no pairs\nof filters" if name in run.layers else "no such\nlayer"
            axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color="0.4")
    bar = column[-1].figure.colorbar(drawn, ax=list(column), location="bottom", aspect=14, pad=0.02, shrink=0.9)
    ticks = _ticks(most, log=log)
    bar.set_ticks(ticks)
    bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bar.ax.minorticks_off()
    bar.ax.tick_params(length=1.5, labelsize=6)
    bar.outline.set_linewidth(0.4)
    bar.set_label("pairs", fontsize=6, labelpad=1)


def _counts(run: DrawnRun, name: str, epochs: Sequence[int]) -> NDArray[np.float64]:
    """(epochs, 201) counts; NaN where the run has no such layer or epoch."""
    counts = np.full((len(epochs), len(BINS) - 1), np.nan)
    if name in run.layers:
        rows = {int(epoch): row for row, epoch in enumerate(run.history.epochs)}
        index = run.layers[name][0]
        values = np.asarray(run.history.columns[COLUMN][:, index], np.float64)
        for line, epoch in enumerate(epochs):
            if epoch in rows:
                counts[line] = values[rows[epoch]]
    return counts


def _norm(most: float, *, log: bool) -> Any:
    if log:
        return matplotlib.colors.SymLogNorm(1.0, vmin=0, vmax=max(most, 1.0), base=10)
    return matplotlib.colors.Normalize(0, max(most, 1.0))


def _ticks(most: float, *, log: bool) -> list[float]:
    """Whole counts from 0 to about the highest."""
    if log:
        return [0.0, *(10.0**power for power in range(int(np.log10(max(most, 1.0))) + 1))]
    step = max(1.0, float(np.ceil(most / 3)))
    digits = 10 ** max(int(np.log10(step)), 0)
    step = float(np.ceil(step / digits) * digits)
    return [float(tick) for tick in np.arange(0, max(most, 1.0) + 1e-9, step)]
