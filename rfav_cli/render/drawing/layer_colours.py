"""Which colour is which layer, in figures of a curve a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np

from rfav_cli.render.drawing.curves import key
from rfav_cli.render.drawing.page import COLOURS, LINES, ONSET, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from rfav_cli.records import History
    from rfav_cli.render.drawing.page import Page
    from rfav_cli.render.drawing.selection import DrawnRun


def layer_colours(layers: Sequence[str]) -> dict[str, Any]:
    """Colours that tell few layers apart, or that say how deep each of many layers lies."""
    if len(layers) <= len(COLOURS):
        return dict(zip(layers, COLOURS, strict=False))
    shares = np.linspace(0.95, 0, len(layers))
    return {name: matplotlib.colormaps["viridis"](share) for name, share in zip(layers, shares, strict=True)}


def name_layers(
    page: Page,
    axes: Axes | list[Axes],
    runs: Sequence[DrawnRun],
    colours: dict[str, Any],
    *,
    marked: bool,
    values: Callable[[History], NDArray[np.float64]],
) -> None:
    """Say which colour is which layer, and which style is which run, beside the curves.

    Args:
        page: what is drawn on.
        axes: those of the curves.
        runs: what is drawn.
        colours: of the layers, by name.
        marked: there is an onset of overfitting among the curves.
        values: (E, L) of a history, what the curves are of.
    """
    few = len(colours) <= len(COLOURS)
    none = {name for name in colours if not any(_is_finite(run, name, values) for run in runs)}
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


def _is_finite(run: DrawnRun, name: str, values: Callable[[History], NDArray[np.float64]]) -> bool:
    """Whether a run has any figure of a layer."""
    return name in run.layers and bool(np.isfinite(values(run.history)[:, run.layers[name][0]]).any())


def _depth_bar(page: Page, axes: Axes | list[Axes], colours: list[tuple[str, Any]]) -> None:
    """A colour bar from the first layer, on top, to the last."""
    map_of_all = matplotlib.colors.ListedColormap([colour for _, colour in colours])
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(-0.5, len(colours) - 0.5), map_of_all)
    bar = page.colorbar(scale, ax=axes, aspect=30, pad=0.02)
    shown = np.linspace(0, len(colours) - 1, min(len(colours), 12)).round().astype(int)
    bar.set_ticks(shown.tolist(), labels=[literal(colours[index][0], 24) for index in shown])
    bar.ax.invert_yaxis()
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
