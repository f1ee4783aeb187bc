"""The whole run on one page: the held-out loss above epochs x layers, coloured by mean entropy, with the onsets."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.layout_engine import ConstrainedLayoutEngine

from rfav_cli.render.base import entropies
from rfav_cli.render.drawing.curves import edges_between, epoch_axis, key, mark_overfitting
from rfav_cli.render.drawing.page import colormap, literal, new_page, styled
from rfav_cli.render.drawing.selection import chosen_epochs, chosen_layers, unit_of
from rfav_cli.render.figures.loss import CALIBRATED, THIN, draw_losses, has_calibrated, name_of_losses
from rfav_cli.render.remarks import headline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from rfav_cli.render.drawing.page import Page
    from rfav_cli.render.drawing.selection import DrawnRun, FigureOptions

WIDTH = 5.0
"""Inches of one run."""
ROW, LEAST, MOST = 0.22, 1.3, 6.5
"""Inches of a layer, and of all layers at least and at most."""
LOSS, WORDS, FOOT = 0.9, 0.55, 0.75
"""Inches of the curve of the loss, the verdict above it, and the axis and the legend below."""
BAR = 0.13
"""Inches of the scale of colours in width."""
LABELS = 40
"""Layers that are named at most; of more, every second one, or third, ..."""
ONSETS = {"collapsed": "black", "falling": "white"}
"""State of a layer -> what its mark is filled with."""
MARK: dict[str, Any] = {
    "marker": ">",
    "linestyle": "none",
    "markersize": 4.5,
    "markeredgecolor": "black",
    "markeredgewidth": 0.6,
    "zorder": 4,
}


def draw(runs: Sequence[DrawnRun], options: FigureOptions) -> Page:
    """Runs side by side; what was not measured is grey."""
    layers, epochs = chosen_layers(runs, options), chosen_epochs(runs, options)
    body = min(max(ROW * len(layers), LEAST), MOST)
    width = options.width or WIDTH * (1 + 0.8 * (len(runs) - 1))
    colours = colormap(options.colormap)
    with styled():
        page = new_page(width, body + LOSS + WORDS + FOOT, layout=ConstrainedLayoutEngine(hspace=0.04))
        upper, lower = page.subplots(2, len(runs), sharex=True, sharey="row", squeeze=False, height_ratios=(LOSS, body))
        for axes, run in zip(upper, runs, strict=True):
            _draw_head(axes, run, epochs, int((width - 1.2) / len(runs) * 17.5))
        if all(run.history.loss[np.isfinite(run.history.loss)].min(initial=0) >= 0 for run in runs):
            upper[0].set_ylim(bottom=0)
        for axes, run in zip(lower, runs, strict=True):
            _draw_layers(axes, run, layers, epochs, colours)
        if any(np.isfinite(run.history.loss).any() for run in runs):
            upper[0].set_ylabel(name_of_losses(runs))
        else:
            upper[0].set_yticks([])
        _name_layers(lower[0], layers)
        scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), colours)
        bar = page.colorbar(scale, ax=list(lower), pad=0.02, aspect=body / BAR, fraction=0.06)
        bar.set_label("mean entropy / ln D")
        _explain(page, lower, runs)
    return page


def _draw_head(axes: Axes, run: DrawnRun, epochs: Sequence[int], wide: int) -> None:
    """The verdict in words, and the held-out loss."""
    words = headline(run.verdict.run, len(run.verdict.doubts)).plain.removeprefix("verdict: ")
    verdict = [literal(line, wide) for line in textwrap.wrap(words, wide, break_on_hyphens=False)[:2]]
    axes.set_title("\n".join([literal(run.name, wide), *verdict]), loc="left")
    if np.isfinite(run.history.loss).any():
        draw_losses(axes, [run], epochs)
        axes.set_ylabel("")
    else:
        axes.text(0.5, 0.5, "no held-out loss", transform=axes.transAxes, ha="center", va="center", color="0.5")
    mark_overfitting(axes, [run], epochs)


def _draw_layers(axes: Axes, run: DrawnRun, layers: Sequence[str], epochs: Sequence[int], colours: Any) -> None:
    """A row a layer, the first one on top, with the onsets."""
    edges, rows = edges_between(epochs), np.arange(len(layers) + 1) - 0.5
    values = _fractions(run, layers, epochs)
    axes.pcolormesh(edges, rows, values.T, cmap=colours, vmin=0, vmax=1, rasterized=True)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="y", length=0)
    epoch_axis(axes, epochs, unit_of([run]))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(rows[-1], rows[0])
    mark_overfitting(axes, [run], epochs)
    _mark_onsets(axes, run, layers, epochs)


def _name_layers(axes: Axes, layers: Sequence[str]) -> None:
    named = range(0, len(layers), -(-len(layers) // LABELS))
    small = len(named) > 25
    labels = [literal(layers[index], 32 if small else 24) for index in named]
    axes.set_yticks(named, labels, fontsize=5.5 if small else 7)


def _fractions(run: DrawnRun, layers: Sequence[str], epochs: Sequence[int]) -> NDArray[np.float64]:
    """(epochs, layers) mean entropies as fractions of ln D; NaN where the run has no such layer or epoch."""
    rows = {int(epoch): row for row, epoch in enumerate(run.history.epochs)}
    all_values = entropies(run.history)
    values = np.full((len(epochs), len(layers)), np.nan)
    for place, name in enumerate(layers):
        if name in run.layers:
            index, layer = run.layers[name]
            for line, epoch in enumerate(epochs):
                if epoch in rows and layer.max_entropy:
                    values[line, place] = all_values[rows[epoch], index] / layer.max_entropy
    return values


def _mark_onsets(axes: Axes, run: DrawnRun, layers: Sequence[str], epochs: Sequence[int]) -> None:
    """A triangle where a layer begins to fall: filled where it collapses."""
    findings = {layer.name: layer for layer in run.verdict.layers}
    for state, face in ONSETS.items():
        marks = [
            (onset.epoch, place)
            for place, name in enumerate(layers)
            if name in findings and findings[name].state == state and (onset := findings[name].onset)
            if epochs[0] <= onset.epoch <= epochs[-1]
        ]
        if marks:
            axes.plot(
                *zip(*marks, strict=True), label=f"onset of a layer that is {state}", **MARK, markerfacecolor=face
            )


def _explain(page: Page, lower: Sequence[Axes], runs: Sequence[DrawnRun]) -> None:
    """What the marks and the dashed curve mean, below all, where there are any."""
    entries = {label: handle for axes in lower for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if has_calibrated(runs):
        entries["loss with a temperature"] = key("0.3", CALIBRATED, linewidth=THIN)
    if entries:
        page.legend(list(entries.values()), list(entries), loc="outside lower left", ncols=2)
