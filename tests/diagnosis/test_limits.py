"""Figures at, just within and just beyond their limits, and those of which there are none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.diagnosis.limits import (
    ACCURACY_DROP,
    ENTROPY_DROP,
    baseline_of,
    compare_with_baseline,
    hold_against_limits,
)
from rfav_cli.records import BaselineLayer, Policy
from tests.diagnosis.conftest import TOP, make_history, sample_losses

if TYPE_CHECKING:
    from rfav_cli.records import Checked, History

EPOCHS = np.arange(3)


def run(accuracy: float = 0.8, shares: tuple[float, float] = (0.9, 0.6), **options: Any) -> History:
    """Three epochs of conv1 and fc1, which have these shares of ln D in the last one."""
    entropies = {name: np.array([TOP, TOP, share * TOP]) for name, share in zip(("conv1", "fc1"), shares, strict=True)}
    columns = {"probe__accuracy": np.array([0.1, 0.2, accuracy]), **options.pop("columns", {})}
    return make_history(EPOCHS, entropies, sample_losses(np.ones(3), size=8), **columns, **options)


def held(history: History, **policy: Any) -> list[tuple[str, str, str]]:
    return [brief(checked) for checked in hold_against_limits(history, Policy(**policy))]


def compared(history: History, baseline: Any, **policy: Any) -> list[tuple[str, str, str]]:
    return [brief(checked) for checked in compare_with_baseline(history, Policy(**policy), baseline)]


def brief(checked: Checked) -> tuple[str, str, str]:
    return checked.rule, checked.layer, checked.outcome


@pytest.mark.parametrize(
    ("limit", "outcome"), [(0.8, "passed"), (0.8 + 1e-12, "passed"), (0.8 + 1e-6, "flagged"), (0.0, "passed")]
)
def test_a_figure_at_its_limit_is_within(limit: float, outcome: str) -> None:
    (accuracy,) = hold_against_limits(run(0.8), Policy(min_accuracy=limit))
    assert (accuracy.rule, accuracy.outcome, accuracy.value, accuracy.limit) == ("RFAV007", outcome, 0.8, limit)
    assert (accuracy.key, accuracy.store) == ("min-accuracy", "rfav.h5")
    assert "accuracy 0.8 in epoch 2" in accuracy.message


def test_only_the_last_epoch_counts() -> None:
    assert held(run(0.8), min_accuracy=0.5) == [("RFAV007", "", "passed")]
    assert held(run(shares=(0.9, 0.6)), min_entropy=(("*", 0.7),)) == [
        ("RFAV005", "conv1", "passed"),
        ("RFAV005", "fc1", "flagged"),
    ]


def test_rounding_lifts_no_entropy_above_ln_d() -> None:
    (entropy,) = hold_against_limits(run(shares=(1 + 1e-7, 0.5)), Policy(min_entropy=(("conv1", 1.0),)))
    assert (entropy.value, entropy.outcome) == (1.0, "passed")


def test_a_layer_of_one_filter_is_meant_by_its_own_name_alone() -> None:
    history = run(channels={"fc1": 1})
    assert held(history, min_entropy=(("*", 0.7),)) == [("RFAV005", "conv1", "passed")]
    assert held(history, min_entropy=(("fc1", 0.7),)) == [("RFAV106", "fc1", "missing")]
    assert held(history, min_entropy=(("fc?", 0.7),)) == [("RFAV103", "", "missing")]


def test_the_largest_correlation() -> None:
    columns = {"correlation__abs_mean": np.array([[9, 9], [9, 9], [0.2, np.nan]])}
    assert held(run(columns=columns), max_correlation=(("*", 0.2),)) == [
        ("RFAV006", "conv1", "passed"),
        ("RFAV106", "fc1", "missing"),
    ]
    assert held(run(columns=columns), max_correlation=(("conv*", 0.19),)) == [("RFAV006", "conv1", "flagged")]
    assert held(run(), max_correlation=(("conv1", 0.19),)) == [("RFAV106", "conv1", "missing")]


def test_a_store_without_epochs_is_held_against_nothing() -> None:
    empty = make_history(np.array([], np.int64), {"conv1": np.array([])}, np.zeros((0, 8)))
    assert held(empty, min_accuracy=0.5, min_entropy=(("*", 0.1),)) == []


def test_a_run_is_as_good_as_itself() -> None:
    history = run()
    baseline = baseline_of(history)
    assert (baseline.epoch, baseline.accuracy, baseline.probe_size) == (2, 0.8, 8)
    assert baseline.layers == {"conv1": BaselineLayer(64, 0.9 * TOP), "fc1": BaselineLayer(64, 0.6 * TOP)}
    assert {outcome for _, _, outcome in compared(history, baseline)} == {"passed"}


def test_drops_below_a_baseline_up_to_the_limit() -> None:
    baseline = baseline_of(run(0.8, (0.9, 0.6)))
    for by, outcome in (
        (0.0, "passed"),
        (ACCURACY_DROP, "passed"),
        (ACCURACY_DROP + 1e-4, "flagged"),
        (-0.1, "passed"),
    ):
        assert ("RFAV008", "", outcome) in compared(run(0.8 - by), baseline)
    for by, outcome in ((ENTROPY_DROP, "passed"), (ENTROPY_DROP + 1e-4, "flagged")):
        assert ("RFAV009", "fc1", outcome) in compared(run(shares=(0.9, 0.6 - by)), baseline)
    assert ("RFAV008", "", "flagged") in compared(run(0.79), baseline, max_accuracy_drop=0.0)


def test_of_several_limits_for_a_layer_the_strictest_counts() -> None:
    baseline = baseline_of(run())
    fallen = run(shares=(0.9, 0.4))
    wide = ("f*", 0.5)
    assert ("RFAV009", "fc1", "passed") in compared(fallen, baseline, max_entropy_drop=(wide,))
    for limits in ((wide, ("fc1", 0.1)), (("fc1", 0.1), wide)):
        assert ("RFAV009", "fc1", "flagged") in compared(fallen, baseline, max_entropy_drop=limits)


def test_what_cannot_be_compared_is_missing() -> None:
    history = run()
    baseline = baseline_of(history)
    assert compared(history, replace(baseline, probe_size=9)) == [("RFAV104", "", "missing")]
    assert compared(history, replace(baseline, with_bias=True, fold_norm=False)) == [("RFAV107", "", "missing")] * 2
    assert ("RFAV104", "", "missing") in compared(history, replace(baseline, accuracy=None))
    layers = {"conv1": BaselineLayer(32, TOP), "fc1": BaselineLayer(64, None), "gone": BaselineLayer(8, 1.0)}
    found = compared(history, replace(baseline, layers=layers))
    assert found[1:] == [
        ("RFAV103", "conv1", "missing"),
        ("RFAV107", "fc1", "missing"),
        ("RFAV103", "gone", "missing"),
    ]
