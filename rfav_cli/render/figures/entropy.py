"""Figure 5: mean entropy of each layer over the epochs, with the onset of overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np

from rfav_cli.render.base import entropies
from rfav_cli.render.drawing.curves import epoch_axis, key, mark_overfitting, plot
from rfav_cli.render.drawing.page import COLOURS, LINES, ONSET, literal, new_page, styled
from rfav_cli.render.drawing.selection import chosen_epochs, chosen_layers

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
    colours = dict(zip(layers, _colours(len(layers)), strict=True))
    width = options.width or WIDTH
    with styled():
        page = new_page(width, HEIGHT * min(1.0, 0.4 + 0.6 * width / WIDTH), layout="constrained")
        axes = page.add_subplot()
        for run, style in zip(runs, LINES, strict=False):
            _draw_run(axes, run, style, colours, epochs, fraction=options.fraction)
        epoch_axis(axes, epochs)
        axes.set_ylim(bottom=0)
        if options.fraction:
            axes.set_ylim(top=1.02)
        axes.set_ylabel("mean entropy / ln D" if options.fraction else "mean entropy (nat)")
        marked = mark_overfitting(axes, runs, epochs)
        _explain(page, axes, runs, colours, marked)
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


def _colours(count: int) -> list[Any]:
    """Colours that tell few layers apart, or that say how deep each of many layers lies."""
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    return [matplotlib.colormaps["viridis"](share) for share in np.linspace(0.95, 0, count)]


def _explain(page: Page, axes: Axes, runs: Sequence[DrawnRun], colours: dict[str, Any], marked: bool) -> None:
    """Which colour is which layer, and which style is which run, beside the curves."""
    few = len(colours) <= len(COLOURS)
    none = {name for name in colours if not any(_is_finite(run, name) for run in runs)}
    entries = [
        (key(colour), literal(name, 24) + (" (n/a)" if name in none else "")) for name, colour in colours.items() if few
    ]
    if not few:
        _depth_bar(page, axes, list(colours.items()))
    if len(runs) > 1:
        entries += [(key("0.2", style), literal(run.name, 24)) for run, style in zip(runs, LINES, strict=False)]
    if marked:
        entries.append((key(ONSET, linewidth=0.9), "onset of\noverfitting" if few else "onset of overfitting"))
    if not entries:
        return
    handles, labels = zip(*entries, strict=True)
    if few:
        page.legend(handles, labels, loc="outside right upper", handlelength=2.6)
    else:
        page.legend(handles, labels, loc="outside lower center", ncols=min(len(entries), 4), handlelength=2.6)


def _is_finite(run: DrawnRun, name: str) -> bool:
    """Whether a run has any entropy of a layer."""
    return name in run.layers and bool(np.isfinite(entropies(run.history)[:, run.layers[name][0]]).any())


def _depth_bar(page: Page, axes: Axes, colours: list[tuple[str, Any]]) -> None:
    """A colour bar from the first layer, on top, to the last."""
    map_of_all = matplotlib.colors.ListedColormap([colour for _, colour in colours])
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(-0.5, len(colours) - 0.5), map_of_all)
    bar = page.colorbar(scale, ax=axes, aspect=30, pad=0.02)
    shown = np.linspace(0, len(colours) - 1, min(len(colours), 12)).round().astype(int)
    bar.set_ticks(shown.tolist(), labels=[literal(colours[index][0], 24) for index in shown])
    bar.ax.invert_yaxis()
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
