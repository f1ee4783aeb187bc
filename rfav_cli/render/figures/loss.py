"""Figures 3 and 6: the held-out loss over the epochs, smoothed and raw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.errors import StoreError
from rfav_cli.render.base import column
from rfav_cli.render.drawing.curves import epoch_axis, key, mark_overfitting, plot
from rfav_cli.render.drawing.page import COLOURS, LINES, ONSET, literal, new_page, styled
from rfav_cli.render.drawing.selection import chosen_epochs, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from rfav_cli.render.drawing.page import Page
    from rfav_cli.render.drawing.selection import DrawnRun, FigureOptions

WIDTH, HEIGHT = 6.0, 3.2
"""Inches; the height goes with the width."""

CALIBRATED: Any = (0, (3, 1.5))
"""The line of the loss with a temperature."""
THIN = 0.9
"""Its width."""


def draw(runs: Sequence[DrawnRun], options: FigureOptions) -> Page:
    """A bold smoothed curve a run, the raw one pale behind it.

    Raises:
        StoreError: a run has no held-out loss.
    """
    for run in runs:
        if not np.isfinite(run.history.loss).any():
            raise StoreError(
                f"{run.history.path}: has no held-out loss to draw",
                "Measure it on a probe with labels, or draw another --figure.",
            )
    epochs, width = chosen_epochs(runs, options), options.width or WIDTH
    with styled():
        page = new_page(width, HEIGHT * min(1.0, 0.4 + 0.6 * width / WIDTH), layout="constrained")
        axes = page.add_subplot()
        draw_losses(axes, runs, epochs)
        epoch_axis(axes, epochs, unit_of(runs))
        marked = mark_overfitting(axes, runs, epochs, COLOURS if len(runs) > 1 else ())
        styles = list(zip(runs, COLOURS, LINES, strict=False))
        entries = [(key(colour, style), literal(run.name, 24)) for run, colour, style in styles]
        entries.append((key("0.6", linewidth=0.7), "not smoothed"))
        if has_calibrated(runs):
            entries.append((key("0.3", CALIBRATED, linewidth=THIN), "with a\ntemperature"))
        if marked:
            entries.append((key(ONSET, linewidth=0.9), "onset of\noverfitting"))
        handles, labels = zip(*entries, strict=True)
        page.legend(handles, labels, loc="outside right upper", handlelength=2.8)
    return page


def has_calibrated(runs: Sequence[DrawnRun]) -> bool:
    """Whether there is a loss with a temperature to draw."""
    return any(bool(np.isfinite(run.history.calibrated_loss).any()) for run in runs)


def draw_losses(axes: Axes, runs: Sequence[DrawnRun], epochs: Sequence[int]) -> None:
    """The curves alone, from 0 on where none is below: smoothed, measured, and with a temperature if there is one."""
    for run, colour, style in zip(runs, COLOURS, LINES, strict=False):
        rows = np.isin(run.history.epochs, epochs)
        at, raw = run.history.epochs[rows], column(run.history, "probe/loss")[rows]
        plot(axes, at, raw, color=colour, linewidth=0.7, alpha=0.4, zorder=2)
        plot(axes, at, run.smoothed[rows], color=colour, linestyle=style, linewidth=1.5, zorder=3)
        if has_calibrated([run]):
            calibrated = run.history.calibrated_loss[rows]
            plot(axes, at, calibrated, color=colour, linestyle=CALIBRATED, linewidth=THIN, zorder=2.5)
    if all(run.history.loss[np.isfinite(run.history.loss)].min(initial=0) >= 0 for run in runs):
        axes.set_ylim(bottom=0)
    axes.set_ylabel(name_of_losses(runs))


def name_of_losses(runs: Sequence[DrawnRun]) -> str:
    """What the axis of several runs' losses is called: by their name, where it is one."""
    names = {run.history.loss_words for run in runs if np.isfinite(run.history.loss).any()}
    return literal(names.pop(), 40) if len(names) == 1 else "held-out loss"
