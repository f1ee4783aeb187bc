"""Scale and shape of each layer's activation over the epochs: what a fall of its entropy is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from rfav_cli.errors import StoreError
from rfav_cli.render.drawing.curves import epoch_axis, mark_overfitting, plot
from rfav_cli.render.drawing.layer_colours import layer_colours, name_layers
from rfav_cli.render.drawing.page import LINES, new_page, styled
from rfav_cli.render.drawing.selection import chosen_epochs, chosen_layers, unit_of
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from rfav_cli.records import History
    from rfav_cli.render.drawing.page import Page
    from rfav_cli.render.drawing.selection import DrawnRun, FigureOptions

WIDTH, HEIGHT = 6.0, 4.6
"""Inches; the height goes with the width."""


def draw(runs: Sequence[DrawnRun], options: FigureOptions) -> Page:
    """Scales above, on a scale of powers of two; shapes below as shares of ln D, or in nats without `fraction`.

    Raises:
        StoreError: a store was measured without them.
    """
    for run in runs:
        if "activation/scale" not in run.history.columns:
            raise StoreError(
                f"{printable(run.history.path)}: measured without scale and shape", "Analyze the run anew."
            )
    layers, epochs = chosen_layers(runs, options), chosen_epochs(runs, options)
    colours = layer_colours(layers)
    width = options.width or WIDTH
    with styled():
        page = new_page(width, HEIGHT * min(1.0, 0.4 + 0.6 * width / WIDTH), layout="constrained")
        above, below = page.subplots(2, 1, sharex=True)
        for run, style in zip(runs, LINES, strict=False):
            _curves(above, run, style, colours, epochs, _scales(run.history))
            _curves(below, run, style, colours, epochs, _shapes(run.history, fraction=options.fraction))
        _axes(above, below, fraction=options.fraction)
        marked = [mark_overfitting(axes, runs, epochs) for axes in (above, below)]
        epoch_axis(below, epochs, unit_of(runs))
        name_layers(page, [above, below], runs, colours, marked=any(marked), values=_scales)
    return page


def _scales(history: History) -> NDArray[np.float64]:
    """(E, L), NaN where a scale is not above 0."""
    scale = history.scale
    return np.where(np.isfinite(scale) & (scale > 0), scale, np.nan)


def _shapes(history: History, *, fraction: bool) -> NDArray[np.float64]:
    """(E, L)."""
    most = np.array([layer.max_entropy or np.nan for layer in history.run.layers])
    return history.shape / most if fraction else history.shape


def _curves(
    axes: Axes,
    run: DrawnRun,
    style: Any,
    colours: dict[str, Any],
    epochs: Sequence[int],
    values: NDArray[np.float64],
) -> None:
    rows = np.isin(run.history.epochs, epochs)
    for name, (index, _) in run.layers.items():
        if name in colours:
            plot(axes, run.history.epochs[rows], values[rows, index], color=colours[name], linestyle=style)


def _axes(above: Axes, below: Axes, *, fraction: bool) -> None:
    above.set_yscale("log", base=2)
    above.yaxis.set_major_locator(LogLocator(base=2, numticks=8))
    above.yaxis.set_minor_locator(NullLocator())
    above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    above.set_ylabel("scale")
    below.set_ylim(bottom=0)
    if fraction:
        below.set_ylim(top=1.02)
    below.set_ylabel("shape / ln D" if fraction else "shape (nat)")
