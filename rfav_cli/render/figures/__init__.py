"""The paper's figures, drawn from stores; a new figure is one new file and one line here.

This package alone imports matplotlib, and none of it is imported before something is drawn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rfav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.render.drawing.page import Page
    from rfav_cli.render.drawing.selection import DrawnRun, FigureOptions

FIGURES = ("overview", "entropy", "scale", "heatmaps", "correlation", "loss")
"""Stems of the files in this folder; each has `draw(runs, options) -> Page`."""


def draw(name: str, runs: Sequence[DrawnRun], options: FigureOptions) -> Page:
    """Draw a figure.

    Args:
        name: one in `FIGURES`.
        runs: the runs, at least one.
        options: what of them is drawn, and how large.

    Raises:
        UsageError: there is no such figure, or an option does not fit the runs.
        StoreError: a store does not hold what the figure shows.
    """
    if name not in FIGURES:
        raise UsageError(f"--figure: there is no {name!r:.60}", f"Give one of: {', '.join(FIGURES)}.")
    from rfav_cli.render.drawing.selection import MOST_RUNS  # here, so that the names are known without numpy

    if len(runs) > MOST_RUNS:
        raise UsageError(f"{len(runs)} runs in one figure: it can tell {MOST_RUNS} apart", "Draw fewer at a time.")
    module = import_module(f"{__name__}.{name}")
    page: Page = module.draw(runs, options)
    return page
