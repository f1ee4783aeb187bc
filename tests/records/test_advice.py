"""Advice is data: what is best by each measure, and steps in an order."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict

import pytest

from rfav_cli.records import Advice, AdviceStep, Best, Gain


def test_advice_is_frozen_and_plain():
    gain = Gain("dropout", "best accuracy", 0.018, -0.007, 0.043, 4, 12, "plain")
    best = Best("accuracy", 27, "epoch_27.pt", 0.592, 0.592, beyond_noise=False)
    advice = Advice((best,), 27, "accuracy", 2.1, (AdviceStep("instead", "Add dropout.", gains=(gain,)),))
    with pytest.raises(FrozenInstanceError):
        advice.keep = 3
    assert asdict(advice)["steps"][0] == {
        "kind": "instead",
        "words": "Add dropout.",
        "command": "",
        "gains": (asdict(gain),),
    }
