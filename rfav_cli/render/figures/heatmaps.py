"""Figures 1, 4 and A.1: heatmaps of the entropy, a row a layer and a column an epoch, beside the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.errors import StoreError, UsageError
from rfav_cli.render.drawing.page import colormap, literal, new_page, number_text, styled
from rfav_cli.render.drawing.selection import chosen_epochs, chosen_images, chosen_layers, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from rfav_cli.render.drawing.page import Page
    from rfav_cli.render.drawing.selection import DrawnRun, FigureOptions

WIDTH, LARGEST, COLUMNS, MOST = 7.0, 1.0, 8, 12
"""Inches of the page and of a map at most, unless a width is given; epochs and layers where none are named."""
NAME, LETTER, SCALE, GAP, MARGIN = 20, 0.064, 0.62, 0.05, 0.05
"""Letters of a name, and inches of one, of a scale of colours, between pictures, and around all."""
HEAD, FOOT, BETWEEN = 0.34, 0.22, 0.16
"""Inches above a block, below the last one, and between two."""
LEAST = 0.1
"""Inches of a map at least."""
SAME = 1e-3
"""Share of ln D below which all values of a layer are one, and its scale is the full one."""
STRIP = 0.32
"""Height of a row of tokens, or of a single value, in widths."""


@dataclass(frozen=True)
class _Block:
    """One image, or the mean over all, in one run."""

    run: DrawnRun
    image: int | None
    title: str


def draw(runs: Sequence[DrawnRun], options: FigureOptions) -> Page:
    """A block a run and image; each row has one scale of colours in all epochs and blocks.

    Raises:
        StoreError: a run has no heatmaps.
    """
    for run in runs:
        if not any(name.startswith("entropy/mean_map/") for name in run.history.columns):
            raise StoreError(f"{run.history.path}: has no heatmaps", "Analyze it anew.")
    layers, epochs = chosen_layers(runs, options, MOST), chosen_epochs(runs, options, COLUMNS)
    blocks = _blocks(runs, chosen_images(runs, options))
    maps = [[_maps(block, name, epochs, fraction=options.fraction) for name in layers] for block in blocks]
    scales = [_scale(runs, name, [rows[i] for rows in maps], options) for i, name in enumerate(layers)]
    beside = max(min(max(map(len, layers)), NAME) * LETTER, 0.5) + 2 * MARGIN + SCALE
    side = ((options.width or WIDTH) - beside) / (len(epochs) + 1) - GAP
    if options.width is None:
        side = min(side, LARGEST)
    elif side < LEAST:
        raise UsageError(f"--width {options.width:g}: too narrow for {len(epochs)} epochs", "Name fewer with --epochs.")
    width = beside + (len(epochs) + 1) * (side + GAP)
    heights = [side * (STRIP if _is_strip(runs, name) else 1) for name in layers]
    tall = HEAD + sum(heights) + len(layers) * GAP
    with styled():
        height = 2 * MARGIN + len(blocks) * tall + (len(blocks) - 1) * BETWEEN + FOOT
        page = new_page(width, height)
        axes = page.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_autoscale_on(False)
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        sheet = _Sheet(axes, beside - MARGIN - SCALE, side, heights, colormap(options.colormap))
        for number, (block, rows) in enumerate(zip(blocks, maps, strict=True)):
            top = MARGIN + number * (tall + BETWEEN)
            sheet.block(block, top, layers, epochs, rows, scales)
        unit = "entropy / ln D" if options.fraction else "entropy (nat)"
        scaled = "all layers from 0 to ln D" if options.full_scale else "a scale of its own for each layer"
        axes.text(width - MARGIN, height - MARGIN, f"{unit}; {scaled}", ha="right", fontsize=6)
    return page


def _blocks(runs: Sequence[DrawnRun], images: Sequence[int | None]) -> list[_Block]:
    """Every run with every image, lettered where there are several."""
    blocks: list[_Block] = []
    for image in images:
        for run in runs:
            what = f"mean of {run.history.run.probe.size:,} images" if image is None else f"image {image}"
            letter = f"({chr(97 + len(blocks))}) " if len(runs) * len(images) > 1 and len(blocks) < 26 else ""
            blocks.append(_Block(run, image, f"{letter}{literal(run.name, 60)}, {what}"))
    return blocks


def _maps(block: _Block, name: str, epochs: Sequence[int], *, fraction: bool) -> list[NDArray[np.float64] | None]:
    """An (A, B) map an epoch; None where there is none."""
    if name not in block.run.layers:
        return [None] * len(epochs)
    index, layer = block.run.layers[name]
    history = block.run.history
    column = history.columns.get(f"entropy/{'mean_map' if block.image is None else 'map'}/{index}")
    rows = {int(epoch): row for row, epoch in enumerate(history.epochs)}
    unit = (layer.max_entropy or np.nan) if fraction else 1.0
    maps: list[NDArray[np.float64] | None] = []
    for epoch in epochs:
        if column is None or epoch not in rows:
            maps.append(None)
            continue
        values = column[rows[epoch]] if block.image is None else column[rows[epoch], block.image]
        maps.append(flat(np.asarray(values, np.float64)) / unit)
    return maps


def _is_strip(runs: Sequence[DrawnRun], name: str) -> bool:
    """Whether a layer has one value or a row of tokens, which need no height."""
    return all(len(run.layers[name][1].positions) < 2 for run in runs if name in run.layers)


def flat(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A map of any number of axes as a picture: one value, a row of tokens, or the mean over the axes of depth.

    >>> flat(np.float64(2.0)).shape, flat(np.zeros(7)).shape, flat(np.zeros((4, 5, 6))).shape
    ((1, 1), (1, 7), (5, 6))
    """
    if values.ndim < 2:
        return np.atleast_2d(values)
    return np.asarray(values.reshape(-1, *values.shape[-2:]).mean(0))


def _scale(
    runs: Sequence[DrawnRun], name: str, rows: Sequence[Sequence[NDArray[np.float64] | None]], options: FigureOptions
) -> tuple[float, float]:
    """Lowest and highest value of a layer's colours."""
    most = max(run.layers[name][1].max_entropy for run in runs if name in run.layers)
    if options.full_scale or not most:
        return 0.0, 1.0 if options.fraction else most
    values = [heatmap[np.isfinite(heatmap)] for row in rows for heatmap in row if heatmap is not None]
    together = np.concatenate(values) if values else np.zeros(0)
    if not together.size or together.max() - together.min() < SAME * most:
        return 0.0, 1.0 if options.fraction else most
    return float(together.min()), float(together.max())


@dataclass(frozen=True)
class _Sheet:
    """Axes whose units are inches from the upper left corner."""

    axes: Axes
    left: float
    side: float
    heights: Sequence[float]
    colours: Any

    def block(
        self,
        block: _Block,
        top: float,
        layers: Sequence[str],
        epochs: Sequence[int],
        rows: Sequence[Sequence[NDArray[np.float64] | None]],
        scales: Sequence[tuple[float, float]],
    ) -> None:
        """The title, the epochs, the image, and a row a layer."""
        step = self.side + GAP
        first = self.left + step
        self.axes.text(MARGIN, top + 0.12, block.title, weight="bold")
        for number, epoch in enumerate(epochs):
            at = first + number * step + self.side / 2
            bold = "bold" if epoch == block.run.onset else "normal"
            self.axes.text(at, top + HEAD - 0.04, number_text(epoch), ha="center", fontsize=7, weight=bold)
        self.axes.text(first - GAP - 0.02, top + HEAD - 0.04, unit_of([block.run]), ha="right", fontsize=7)
        self._image(block, self.left, top + HEAD)
        y = top + HEAD
        for name, maps, (low, high), height in zip(layers, rows, scales, self.heights, strict=True):
            self.axes.text(self.left - 0.06, y + height / 2, literal(name, NAME), ha="right", va="center", fontsize=7)
            for column, values in enumerate(maps):
                self._map(values, first + column * step, y, height, low, high)
            self._legend(first + len(epochs) * step, y, height, low, high)
            y += height + GAP

    def _picture(self, values: Any, x: float, y: float, width: float, height: float, **options: Any) -> None:
        extent = (x, x + width, y + height, y)
        self.axes.imshow(values, extent=extent, aspect="auto", interpolation="nearest", **options)

    def _map(
        self, values: NDArray[np.float64] | None, x: float, y: float, height: float, low: float, high: float
    ) -> None:
        if values is None:
            self.axes.text(x + self.side / 2, y + height / 2, "–", ha="center", va="center", color="0.6")
        else:
            self._picture(values, x, y, self.side, height, vmin=low, vmax=high, cmap=self.colours)

    def _image(self, block: _Block, x: float, y: float) -> None:
        """The image itself, beside the first layer."""
        thumbnails = block.run.history.run.probe.thumbnails
        if block.image is None or thumbnails is None or block.image >= len(thumbnails):
            return
        picture = thumbnails[block.image]
        gray = picture.shape[-1] == 1
        options: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255} if gray else {}
        self._picture(picture[..., 0] if gray else picture[..., :3], x, y, self.side, self.side, **options)

    def _legend(self, x: float, y: float, height: float, low: float, high: float) -> None:
        """A thin scale of colours with its ends; none where the layer has one channel, whose entropy says nothing."""
        if high <= low:
            self.axes.text(x + 0.03, y + height / 2, "n/a", va="center", fontsize=6)
            return
        self._picture(np.linspace(1, 0, 64)[:, None], x + 0.03, y, 0.07, height, vmin=0, vmax=1, cmap=self.colours)
        for value, at, place in ((high, y - 0.02, "top"), (low, y + height + 0.02, "bottom")):
            self.axes.text(x + 0.13, at, f"{value:.2f}", va=place, fontsize=6)
