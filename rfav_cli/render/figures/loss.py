"""Figures 3 and 6: the held-out loss over the epochs, smoothed and raw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.errors import StoreError
from rfav_cli.render.base import column
from rfav_cli.render.figures.curves import epoch_axis, key, moments, plot
from rfav_cli.render.figures.options import chosen_epochs
from rfav_cli.render.figures.page import COLOURS, LINES, MOMENT, literal, new_page, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from rfav_cli.render.figures.options import Options, Subject
    from rfav_cli.render.figures.page import Page

WIDTH, HEIGHT = 6.0, 3.2
"""Inches; the height goes with the width."""


def draw(subjects: Sequence[Subject], options: Options) -> Page:
    """A bold smoothed curve a run, the raw one pale behind it.

    Raises:
        StoreError: a run has no held-out loss.
    """
    for subject in subjects:
        if not np.isfinite(subject.history.loss).any():
            raise StoreError(
                f"{subject.history.path}: has no held-out loss to draw",
                "Measure it on a probe with labels, or draw another --figure.",
            )
    epochs, width = chosen_epochs(subjects, options), options.width or WIDTH
    with styled():
        page = new_page(width, HEIGHT * min(1.0, 0.4 + 0.6 * width / WIDTH), layout="constrained")
        axes = page.add_subplot()
        draw_losses(axes, subjects, epochs)
        epoch_axis(axes, epochs)
        marked = moments(axes, subjects, epochs, COLOURS if len(subjects) > 1 else ())
        runs = list(zip(subjects, COLOURS, LINES, strict=False))
        entries = [(key(colour, style), literal(subject.name, 24)) for subject, colour, style in runs]
        entries.append((key("0.6", linewidth=0.7), "not smoothed"))
        if marked:
            entries.append((key(MOMENT, linewidth=0.9), "moment of\noverfitting"))
        handles, labels = zip(*entries, strict=True)
        page.legend(handles, labels, loc="outside right upper", handlelength=2.8)
    return page


def draw_losses(axes: Axes, subjects: Sequence[Subject], epochs: Sequence[int]) -> None:
    """The curves alone, from 0 on."""
    for subject, colour, style in zip(subjects, COLOURS, LINES, strict=False):
        rows = np.isin(subject.history.epochs, epochs)
        at, raw = subject.history.epochs[rows], column(subject.history, "probe/loss")[rows]
        plot(axes, at, raw, color=colour, linewidth=0.7, alpha=0.4, zorder=2)
        plot(axes, at, subject.smoothed[rows], color=colour, linestyle=style, linewidth=1.5, zorder=3)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("held-out loss")
