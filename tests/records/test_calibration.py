"""The record of a temperature, and between which one is sought."""

from __future__ import annotations

from rfav_cli.records.calibration import HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE, Calibration


def test_no_temperature_lies_between_those_that_are_sought() -> None:
    assert 0 < LOWEST_TEMPERATURE < 1 < HIGHEST_TEMPERATURE


def test_a_temperature_helps_unless_it_is_said_not_to() -> None:
    assert Calibration("a.h5", 3, "run/3.pt", 100, "", 2.5, 1.5, 1.2, 0.2, 0.03, 0.6, 0.8).helps
