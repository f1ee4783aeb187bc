"""The curves of scale and shape are those of the store."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import rfav_cli
from tests.render.figures.histories import KINDS


def test_curves_are_those_of_the_store() -> None:
    history = KINDS["plain"]
    above, below = rfav_cli.plot(history, figure="scale").axes
    for axes, values in ((above, history.scale), (below, history.shape)):
        for line, course in zip(axes.lines, values.T, strict=False):
            np.testing.assert_array_equal(line.get_ydata(), course)
    assert above.get_yscale() == "log"
    assert below.get_ylabel() == "shape (nat)"


def test_shapes_are_drawn_as_shares_of_ln_d_where_that_is_asked_for() -> None:
    history = KINDS["plain"]
    below = rfav_cli.plot(history, figure="scale", fraction=True, epochs="2:5").axes[1]
    np.testing.assert_array_equal(below.lines[0].get_xdata(), [2, 3, 4, 5])
    np.testing.assert_allclose(below.lines[0].get_ydata(), history.shape[3:7, 0] / np.log(32))
    assert below.get_ylabel() == "shape / ln D"


def test_a_scale_that_is_not_above_zero_is_a_gap() -> None:
    history = KINDS["plain"]
    scale = np.array(history.columns["activation/scale"])
    scale[3, 0], scale[4, 1], scale[:, 2] = 0.0, np.nan, np.nan
    page = rfav_cli.plot(replace(history, columns={**history.columns, "activation/scale": scale}), figure="scale")
    assert np.isnan(page.axes[0].lines[0].get_ydata()).nonzero()[0].tolist() == [3]
    assert [text.get_text() for text in page.legends[0].get_texts()][2].endswith("(n/a)")
