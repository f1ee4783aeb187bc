"""What figures of curves share: the line of the onset of overfitting, gaps, and edges between epochs."""

from __future__ import annotations

import numpy as np
import pytest

import rfav_cli
from rfav_cli.render.drawing.curves import edges_between, plot, whole_numbers
from rfav_cli.render.drawing.page import new_page
from tests.render.figures.histories import KINDS


def test_the_moment_of_overfitting_has_the_line_of_its_run() -> None:
    run = KINDS["plain"]
    moment = rfav_cli.judge(run).run.onset
    assert moment is not None
    lines = rfav_cli.plot([run, run], figure="entropy").axes[0].lines
    at = [line for line in lines if list(line.get_xdata()) == [moment.epoch, moment.epoch]]
    assert len(at) == 2
    assert at[0].get_linestyle() != at[1].get_linestyle()
    assert at[1].get_linestyle() == lines[len(run.run.layers)].get_linestyle()


@pytest.mark.parametrize(
    ("epochs", "edges"),
    [
        ([3], [2.5, 3.5]),
        ([-1, 0, 1], [-1.5, -0.5, 0.5, 1.5]),
        ([0, 4, 9], [-2, 2, 6.5, 11.5]),
    ],
)
def test_cells_meet_half_way_between_epochs(epochs: list[int], edges: list[float]) -> None:
    np.testing.assert_array_equal(edges_between(epochs), edges)


def test_a_point_without_neighbours_is_a_dot_and_others_are_lines() -> None:
    axes = new_page(3, 2).add_subplot()
    plot(axes, np.arange(6), np.array([1.0, np.nan, 2.0, np.nan, 3.0, np.inf]), color="0.2")
    line, dots = axes.lines
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False, True, False, True]
    assert (dots.get_xdata().tolist(), dots.get_marker()) == ([0, 2, 4], ".")
    plot(axes, np.arange(3), np.array([1.0, 2.0, np.nan]), color="0.2")
    assert len(axes.lines) == 3


@pytest.mark.parametrize("span", [(0, 1), (-1, 29), (0, 400)])
def test_epochs_are_marked_at_whole_numbers(span: tuple[int, int]) -> None:
    ticks = whole_numbers(8).tick_values(*span)
    assert all(float(tick).is_integer() for tick in ticks)
    assert len(ticks) <= 8 + 3
