"""The shapes of the columns that rfav writes."""

from __future__ import annotations

import pytest

from rfav_cli.records.columns import is_known, row_problem
from rfav_cli.records.distances import SKETCH
from tests.store.example import SIZE, make_run


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("probe/loss", ()),
        ("probe/sample_loss", (SIZE,)),
        ("activation/dead", (2,)),
        ("activation/scale", (2,)),
        ("activation/shape", (2,)),
        ("activation/rank", (2,)),
        ("checkpoint/distance", ()),
        ("checkpoint/sketch", (2, SKETCH)),
        ("activation/winners/1", (16,)),
        ("entropy/mean_map/0", (4, 3)),
        ("entropy/map/0", (99, 4, 3)),
        ("entropy/map/1", (2,)),
        ("correlation/histogram", (2, 201)),
    ],
)
def test_what_a_run_may_hold(name: str, shape: tuple[int, ...]) -> None:
    assert is_known(name)
    assert row_problem(name, shape, make_run()) == ""


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("probe/loss", (1,), "not ()"),
        ("probe/norm_shift", (2,), "not ()"),
        ("activation/dead", (3,), "not (2,)"),
        ("activation/winners/0", (9,), "has 8 channels"),
        ("activation/winners/0", (1, 8), "has 8 channels"),
        ("activation/winners/2", (8,), "of a layer that the run does not have"),
        ("entropy/mean_map/0", (1, 4, 3), "positions are (4, 3)"),
        ("entropy/map/1", (), "positions are ()"),
    ],
)
def test_what_it_may_not(name: str, shape: tuple[int, ...], message: str) -> None:
    assert message in row_problem(name, shape, make_run())


def test_any_shape_does_for_a_name_that_is_not_known() -> None:
    assert not is_known("my/own")
    assert row_problem("my/own", (3, 1, 4), make_run()) == ""
