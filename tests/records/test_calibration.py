"""When a temperature is worth something."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rfav_cli.records.calibration import HIGHEST_TEMPERATURE, Calibration

FOUND = Calibration("a.h5", 3, "run/3.pt", 100, "", 2.5, 1.5, 1.2, 0.2, 0.03, 0.6, 0.8)


@pytest.mark.parametrize(
    ("temperature", "calibrated_loss", "helps"),
    [
        (2.5, 1.2, True),
        (0.5, 1.2, True),
        (2.5, 1.5, False),
        (2.5, 1.6, False),
        (HIGHEST_TEMPERATURE, 1.2, False),
        (2.5, math.nan, False),
    ],
)
def test_a_temperature_helps_where_it_lowers_the_loss_of_samples_that_it_was_not_fitted_to(
    temperature: float, calibrated_loss: float, helps: bool
) -> None:
    assert replace(FOUND, temperature=temperature, calibrated_loss=calibrated_loss).helps == helps
