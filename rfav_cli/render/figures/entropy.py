"""Figure 5: mean entropy of each layer over the epochs, with the onset of overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.render.base import entropies
from rfav_cli.render.drawing.curves import epoch_axis, mark_overfitting, plot
from rfav_cli.render.drawing.layer_colours import layer_colours, name_layers
from rfav_cli.render.drawing.page import LINES, new_page, styled
from rfav_cli.render.drawing.selection import chosen_epochs, chosen_layers, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from rfav_cli.render.drawing.page import Page
    from rfav_cli.render.drawing.selection import DrawnRun, FigureOptions

WIDTH, HEIGHT = 6.0, 3.4
"""Inches; the height goes with the width."""


def draw(runs: Sequence[DrawnRun], options: FigureOptions) -> Page:
    """A curve a layer and run: the colour is the layer's, the line style the run's."""
    layers, epochs = chosen_layers(runs, options), chosen_epochs(runs, options)
    colours = layer_colours(layers)
    width = options.width or WIDTH
    with styled():
        page = new_page(width, HEIGHT * min(1.0, 0.4 + 0.6 * width / WIDTH), layout="constrained")
        axes = page.add_subplot()
        for run, style in zip(runs, LINES, strict=False):
            _draw_run(axes, run, style, colours, epochs, fraction=options.fraction)
        epoch_axis(axes, epochs, unit_of(runs))
        axes.set_ylim(bottom=0)
        if options.fraction:
            axes.set_ylim(top=1.02)
        axes.set_ylabel("mean entropy / ln D" if options.fraction else "mean entropy (nat)")
        marked = mark_overfitting(axes, runs, epochs)
        name_layers(page, axes, runs, colours, marked=marked, values=entropies)
    return page


def _draw_run(
    axes: Axes, run: DrawnRun, style: Any, colours: dict[str, Any], epochs: Sequence[int], *, fraction: bool
) -> None:
    rows = np.isin(run.history.epochs, epochs)
    values = entropies(run.history)[rows]
    for name, (index, layer) in run.layers.items():
        if name in colours:
            curve = values[:, index] / (layer.max_entropy or np.nan) if fraction else values[:, index]
            plot(axes, run.history.epochs[rows], curve, color=colours[name], linestyle=style)
