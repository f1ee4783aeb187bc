"""Runs cut to their first epochs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmarks.detection import short
from benchmarks.detection.score import cases_of


def test_a_cut_has_the_first_epochs_and_the_rise_of_its_own_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(each for each in cases_of("tuning") if each.truth.overfits)
    monkeypatch.setattr(short, "LENGTHS", (5, 9, 10_000))
    found = list(short.cuts(case))
    assert [int(cut.history.epochs[-1]) for cut, _ in found] == [4, 8]
    assert all(rise >= 0 for _, rise in found)
    monkeypatch.setattr(short, "LENGTHS", (len(case.history) - 1,))
    ((_, rise),) = short.cuts(case)
    assert rise > 0.02
    (told,) = short.counted([case]).values()
    assert told == Counter(overfitting=1)


@pytest.mark.parametrize(
    ("rise", "words"), [(0.0, "0.0% to 0.3%"), (0.003, "0.3% to 1.5%"), (0.05, "3.0% to 6.0%"), (9.0, "6.0% and more")]
)
def test_rises_lie_between_limits(rise: float, words: str) -> None:
    assert short._between(rise) == words
    assert np.isfinite(short.RISES).all()
