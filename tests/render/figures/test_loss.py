"""The losses that are drawn are those of the store, raw and smoothed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import rfav_cli
from rfav_cli.render.figures.loss import THIN
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


def test_the_loss_with_a_temperature_is_dashed_where_there_is_one() -> None:
    plain, values = KINDS["plain"], np.linspace(2, 1, 29)
    values[3] = np.nan
    history = replace(plain, columns={**plain.columns, "probe/calibrated_loss": values})
    page = rfav_cli.plot([history, plain], figure="loss")
    dashed = [line for line in page.axes[0].lines if line.get_linewidth() == THIN and len(line.get_xdata()) == 29]
    assert len(dashed) == 1
    assert dashed[0].get_linestyle() == "--"
    np.testing.assert_array_equal(dashed[0].get_ydata(), values)
    for shown, expected in ((page, True), (rfav_cli.plot(plain, figure="loss"), False)):
        assert ("with a\ntemperature" in [text.get_text() for text in shown.legends[0].get_texts()]) == expected


def test_the_overview_has_it_too() -> None:
    plain = KINDS["plain"]
    history = replace(plain, columns={**plain.columns, "probe/calibrated_loss": np.linspace(2, 1, 29)})
    (legend,) = rfav_cli.plot(history, figure="overview").legends
    assert "loss with a temperature" in [text.get_text() for text in legend.get_texts()]


def test_the_axis_names_the_loss_and_goes_below_zero_where_losses_do() -> None:
    plain = KINDS["plain"]
    run = replace(plain.run, settings=replace(plain.run.settings, task="regression", loss="mean squared error"))
    lower = replace(plain, run=run, columns={**plain.columns, "probe/loss": np.asarray(plain.loss) - 9})
    for figure in ("loss", "overview"):
        axes = rfav_cli.plot(lower, figure=figure).axes[0]
        assert axes.get_ylabel() == "held-out mean squared error"
        assert axes.get_ylim()[0] < 0
    assert rfav_cli.plot([plain, lower], figure="loss").axes[0].get_ylabel() == "held-out loss"
