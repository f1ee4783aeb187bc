"""Draws the README's picture from the stores of the three sample runs.

for run in overfit forgetful healthy; do
    rfav analyze sample_models/$run --model sample_models.net:make_net --probe sample_models/probe.npz --out $run.h5
done
python docs/make_picture.py overfit.h5 forgetful.h5 healthy.h5 docs/picture.png
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

import rfav_cli

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rfav_cli import History

SHOWN_EPOCHS = 4
LAYER, SAMPLE = "conv3", 5


def main(stores: list[str], out: str) -> None:
    """A column a store: held-out loss, mean entropy and scale of each layer, one sample's heatmaps."""
    histories = [rfav_cli.open_store(path) for path in stores]
    figure = plt.figure(figsize=(12, 7.4), layout="constrained")
    columns = figure.subfigures(1, len(histories))
    losses = np.concatenate([history.loss for history in histories])
    scales = np.concatenate([history.scale.ravel() for history in histories])
    for column, history in zip(columns, histories, strict=True):
        column.suptitle(history.path.removesuffix(".h5"), fontsize=12)
        curves, maps = column.subfigures(2, 1, height_ratios=(4, 0.8))
        top, middle, bottom = curves.subplots(3, 1, sharex=True, height_ratios=(1, 1.2, 1))
        draw_loss(top, history, (0, losses.max() * 1.05))
        draw_entropy(middle, history)
        draw_scale(bottom, history, (scales.min() / 4, scales.max() * 1.3))
        draw_maps(maps, history)
    figure.savefig(out, dpi=110)


def draw_loss(axes: Axes, history: History, limits: tuple[float, float]) -> None:
    """The held-out loss, and what it is with a temperature (dashed), with a line at its minimum."""
    axes.plot(history.epochs, history.loss, color="0.2")
    axes.plot(history.epochs, history.calibrated_loss, color="0.2", linestyle="--", linewidth=0.9)
    axes.axvline(history.epochs[history.loss.argmin()], color="0.6", linestyle=":")
    axes.set(ylabel="held-out loss", ylim=limits)


def draw_entropy(axes: Axes, history: History) -> None:
    """Mean entropy of each layer (Figure 5), as a fraction of ln D so that layers of different sizes compare."""
    for index, layer in enumerate(history.run.layers):
        axes.plot(history.epochs, history.entropy[:, index] / layer.max_entropy, label=layer.name)
    axes.axvline(history.epochs[history.loss.argmin()], color="0.6", linestyle=":")
    axes.set(ylabel="mean entropy / ln D", ylim=(0, 1.02))


def draw_scale(axes: Axes, history: History, limits: tuple[float, float]) -> None:
    """How large the activation of each layer is."""
    for index, layer in enumerate(history.run.layers):
        axes.plot(history.epochs, history.scale[:, index], label=layer.name)
    axes.axvline(history.epochs[history.loss.argmin()], color="0.6", linestyle=":")
    axes.set(xlabel="epoch", ylabel="scale", yscale="log", ylim=limits)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend(fontsize=8, ncols=len(history.run.layers), loc="lower right", handlelength=1, columnspacing=0.8)


def draw_maps(figure: Figure, history: History) -> None:
    """A probe image and its entropy in one layer over the epochs (Figure 4); dark is sparse."""
    rows = np.linspace(0, len(history) - 1, SHOWN_EPOCHS).round().astype(int)
    panels = figure.subplots(1, SHOWN_EPOCHS + 1)
    thumbnails = history.run.probe.thumbnails
    if thumbnails is not None:
        panels[0].imshow(thumbnails[SAMPLE])
    panels[0].set_title("image", fontsize=8)
    highest = next(layer.max_entropy for layer in history.run.layers if layer.name == LAYER)
    for panel, row in zip(panels[1:], rows, strict=True):
        panel.imshow(history.maps(LAYER)[row][SAMPLE], vmin=0, vmax=highest, cmap="viridis")
        panel.set_title(f"epoch {history.epochs[row]}", fontsize=8)
    figure.supxlabel(f"entropy of {LAYER} at each position, 0 (dark) to ln D", fontsize=8)
    for panel in panels:
        panel.axis("off")


if __name__ == "__main__":
    main(sys.argv[1:-1], sys.argv[-1])
