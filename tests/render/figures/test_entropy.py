"""The curves of the mean entropy are those of the store."""

from __future__ import annotations

import numpy as np

import rfav_cli
from tests.render.figures.histories import KINDS


def test_curves_are_those_of_the_store() -> None:
    history = KINDS["plain"]
    axes = rfav_cli.plot(history, figure="entropy").axes[0]
    for line, values in zip(axes.lines, history.entropy.T, strict=False):
        np.testing.assert_array_equal(line.get_ydata(), values)
    shares = rfav_cli.plot(history, figure="entropy", fraction=True, epochs="2:5").axes[0].lines[0]
    np.testing.assert_array_equal(shares.get_xdata(), [2, 3, 4, 5])
    np.testing.assert_allclose(shares.get_ydata(), history.entropy[3:7, 0] / np.log(32))


def test_many_layers_are_coloured_by_their_depth_and_named_beside_a_bar() -> None:
    page = rfav_cli.plot(KINDS["60 layers"], figure="entropy")
    axes, bar = page.axes
    colours = [line.get_color() for line in axes.lines[:60]]
    assert len(set(colours)) == 60
    labels = [label.get_text() for label in bar.get_yticklabels()]
    assert (labels[0], labels[-1], len(labels)) == ("stage0.conv", "stage59.conv", 12)


def test_a_layer_without_an_entropy_is_named_as_such() -> None:
    texts = [text.get_text() for text in rfav_cli.plot(KINDS["one channel"], figure="entropy").legends[0].get_texts()]
    assert texts[:2] == ["a (n/a)", "b"]
