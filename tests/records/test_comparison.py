"""A comparison says only what it knows: a difference of which nothing is known of the samples is not sure."""

from __future__ import annotations

import json
from dataclasses import asdict

from rfav_cli.records import Comparison, Difference, EpochFigures, LayerComparison, LayerSide, RunFinding, RunSide

SIDE = RunSide("a.h5", RunFinding("healthy", "why"), EpochFigures(3, 1.25, None), None)
WHOLE = Comparison(
    SIDE,
    SIDE,
    True,
    Difference(-0.1, 0.02, 0.001, "B"),
    None,
    None,
    None,
    ("B is better",),
    (LayerComparison("conv1", LayerSide("stable", None, None, None), None, "is gone"),),
    (),
)


def test_a_plain_difference_names_no_better_run() -> None:
    plain = Difference(-0.1)
    assert (plain.error, plain.p, plain.better) == (None, None, None)


def test_what_was_tested_is_the_smoothed_difference_where_there_is_one() -> None:
    assert Difference(-0.1).tested == -0.1
    assert Difference(-0.1, 0.02, 0.4, None, 0.03).tested == 0.03


def test_a_comparison_is_values_all_the_way_down() -> None:
    """So it can be a document, be compared, and be a key."""
    document = json.loads(json.dumps(asdict(WHOLE), allow_nan=False))
    assert document["best_loss"] == {"value": -0.1, "error": 0.02, "p": 0.001, "better": "B", "smoothed": None}
    assert document["layers"][0]["b"] is None
    assert hash(WHOLE) == hash(Comparison(**{name: getattr(WHOLE, name) for name in asdict(WHOLE)}))
