"""Figure A.1: the entropy of each receptive field of an image, layer by layer and epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.paper import results
from benchmarks.paper.experiments import of_figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from benchmarks.paper.experiments import Scale

EPOCHS = (-1, 0, 1, 2, 3, 5, 10)
"""That are shown, and the last one; the paper's text is about 0 to 5."""
IMAGE = 0
"""Of the probe."""


def figure_a_1(scale: Scale, out: Path) -> Figure | None:
    """Heatmaps of normNet, trained with Adam: a row a layer, a column an epoch; each row from 0 to ln D."""
    from matplotlib import pyplot

    import rfav_cli

    cell = of_figure(scale, "normNet", optimizer="adam")
    if not results.is_done(out, cell):
        return None
    history = rfav_cli.open_store(out / cell.name / "rfav.h5")
    layers = [layer for layer in history.run.layers if len(layer.positions) == 2]
    columns = [epoch for epoch in (*EPOCHS, cell.epochs - 1) if epoch < cell.epochs]
    places = [int(np.flatnonzero(history.epochs == epoch)[0]) for epoch in dict.fromkeys(columns)]
    size = (1.4 * (len(places) + 2), 1.5 * len(layers))
    figure, axes = pyplot.subplots(len(layers), len(places) + 1, figsize=size, layout="constrained", squeeze=False)
    thumbnails = history.run.probe.thumbnails
    for layer, row in zip(layers, axes, strict=True):
        maps = np.asarray(history.maps(layer.name)[:])[:, IMAGE].astype(np.float64)
        for place, each in zip(places, row[1:], strict=True):
            image = each.imshow(maps[place], vmin=0, vmax=layer.max_entropy, cmap="viridis")
        figure.colorbar(image, ax=row, label="nats", pad=0.01)
        row[1].set_ylabel(layer.name)
    for place, each in zip(places, axes[0, 1:], strict=True):
        each.set_title(f"epoch {history.epochs[place]}", fontsize=9)
    if thumbnails is not None:
        axes[0, 0].imshow(thumbnails[IMAGE])
    for each in axes.flat:
        each.set_xticks([])
        each.set_yticks([])
        each.set_visible(bool(each.images))
    figure.suptitle(f"normNet, {' '.join(scale.figures)}, Adam", fontsize=10)
    return figure
