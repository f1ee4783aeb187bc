"""What a temperature is worth."""

from dataclasses import replace

import numpy as np
import pytest

from rfav_cli.diagnosis.temperature import lowers_loss, says_nothing
from rfav_cli.records.calibration import HIGHEST_TEMPERATURE
from tests.diagnosis.conftest import TOP, make_history

LABELS = np.arange(200) % 4


def history(loss=2.0, calibrated=1.0, temperature=3.0, labels=LABELS, **columns):
    """One checkpoint; guessing its four classes costs 1.386 nat."""
    found = make_history(
        np.arange(1),
        {"fc": np.array([TOP])},
        probe__loss=np.array([loss]),
        probe__calibrated_loss=np.array([calibrated]),
        probe__temperature=np.array([temperature]),
        **columns,
    )
    return replace(found, run=replace(found.run, probe=replace(found.run.probe, labels=labels)))


def test_scores_that_are_no_better_than_guessing_with_any_temperature_say_nothing():
    words = says_nothing(history(5.0, 1.386, 345.0), 0)
    assert "say nothing of the labels" in words
    assert "1.39 nat, by guessing 1.39" in words
    assert "the flatter they are" in says_nothing(history(temperature=HIGHEST_TEMPERATURE), 0)
    assert says_nothing(history(5.0, 1.2, 4.0), 0) == ""


@pytest.mark.parametrize("changed", [{"labels": None}, {"calibrated": np.nan}])
def test_what_was_not_measured_is_not_said(changed):
    assert says_nothing(history(**{"calibrated": 1.386, **changed}), 0) == ""


def samples(gain, spread, seed=0):
    random = np.random.default_rng(seed)
    loss = 1 + random.random((1, 200))
    changed = spread * random.standard_normal((1, 200))
    changed += gain - changed.mean()
    return {"probe__sample_loss": loss, "probe__sample_calibrated_loss": loss - changed}


@pytest.mark.parametrize(
    ("gain", "spread", "lowers"), [(0.3, 1.0, True), (0.05, 1.0, False), (0.05, 0.1, True), (0.0, 0.0, False)]
)
def test_a_loss_is_lower_where_the_samples_say_so_for_sure(gain, spread, lowers):
    assert lowers_loss(history(1.5, 1.5 - gain, **samples(gain, spread)), 0, 0.9) is lowers


def test_of_means_alone_the_lower_one_is_taken_and_a_higher_loss_is_never_lower():
    assert lowers_loss(history(1.5, 1.49), 0, 0.9)
    assert not lowers_loss(history(0.12, 0.129), 0, 0.9)
    assert not lowers_loss(history(1.5, np.nan), 0, 0.9)
