"""Options of the gate."""

from __future__ import annotations

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.options import Analyze, Check


def test_a_run_that_overfits_or_collapses_is_flagged_by_default() -> None:
    check = Check()
    assert check.fail_on == ("collapsed", "overfitting")
    assert tuple(map(str, check.paths)) == ("rfav.h5",)


def test_checkpoints_are_analysed_as_the_gate_was_told() -> None:
    check = Check("runs", probe="p.npz", resize=(8, 4), model="zoo:lenet", epochs="e{epoch}.pt", probe_size=7)
    analyze = Analyze.of(check, checkpoints="runs", out="store.h5")
    assert (analyze.probe, analyze.resize, analyze.model) == ("p.npz", (8, 4), "zoo:lenet")
    assert (analyze.epochs, analyze.probe_size, analyze.out) == ("e{epoch}.pt", 7, "store.h5")


def test_an_epoch_before_the_first_is_refused() -> None:
    with pytest.raises(UsageError, match="--last-epoch -1"):
        Check(last_epoch=-1)
