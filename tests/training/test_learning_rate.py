from __future__ import annotations

import math

import pytest

from rfav_cli.training.learning_rate import SCHEDULES, learning_rate_at


def test_schedules() -> None:
    assert [learning_rate_at("constant", 2.0, epoch, 4) for epoch in range(4)] == [2.0] * 4
    assert [learning_rate_at("cosine", 1.0, epoch, 4) for epoch in range(4)] == pytest.approx(
        [(1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]
    )
    assert [learning_rate_at("step", 1.0, epoch, 4) for epoch in range(4)] == [1.0, 1.0, 0.1, 0.01]
    for name in SCHEDULES:
        rates = [learning_rate_at(name, 1.0, epoch, 30) for epoch in range(30)]
        assert rates[0] == 1
        assert rates == sorted(rates, reverse=True)
        assert rates[-1] > 0
