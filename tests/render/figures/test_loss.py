"""The losses that are drawn are those of the store, raw and smoothed."""

from __future__ import annotations

import numpy as np

import rfav_cli
from tests.render.figures.histories import KINDS


def test_curves_are_those_of_the_store() -> None:
    history = KINDS["plain"]
    raw, smoothed = rfav_cli.plot(history, figure="loss").axes[0].lines[:2]
    np.testing.assert_array_equal(raw.get_ydata(), history.loss)
    weights = np.exp(-0.5 * ((history.epochs[:, None] - history.epochs[None]) / 2.0) ** 2)
    np.testing.assert_allclose(smoothed.get_ydata(), weights @ history.loss / weights.sum(1))


def test_an_epoch_without_a_loss_is_a_gap() -> None:
    raw = rfav_cli.plot(KINDS["nan"], figure="loss").axes[0].lines[0]
    assert np.flatnonzero(np.isnan(raw.get_ydata())).tolist() == [3]


def test_each_run_has_a_colour_and_a_style_of_its_own() -> None:
    lines = rfav_cli.plot([KINDS["plain"], KINDS["nan"]], figure="loss").axes[0].lines
    smoothed = [line for line in lines if line.get_linewidth() == 1.5]
    assert len(smoothed) == 2
    assert smoothed[0].get_color() != smoothed[1].get_color()
    assert smoothed[0].get_linestyle() != smoothed[1].get_linestyle()
    assert lines[0].axes.get_ylim()[0] == 0
