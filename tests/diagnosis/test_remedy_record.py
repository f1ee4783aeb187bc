"""What remedies were worth: a table, and its words; `tests/benchmarks` holds it against the figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rfav_cli.diagnosis.remedy_record import (
    ADVISED,
    GAINS,
    LOSS,
    REMEDIES,
    gain_in_words,
    gain_of,
    is_gain,
    is_worth_a_training,
)
from rfav_cli.records import RULES, Gain

GAIN = Gain("even", "best accuracy", 0.0285, 0.0205, 0.0365, 5, 15, "plain")


def test_each_remedy_is_told_in_words_and_was_measured() -> None:
    assert {gain.remedy for gain in GAINS} == set(REMEDIES)
    assert ADVISED in RULES
    assert all(gain.low <= gain.value <= gain.high for gain in GAINS)


def test_the_rule_that_is_advised_gains_without_normalisation_alone() -> None:
    assert is_gain(gain_of(ADVISED, "plain"))
    assert gain_of(ADVISED, "normalised") is not None
    assert not is_gain(gain_of(ADVISED, "normalised"))


def test_what_was_not_measured_is_no_gain() -> None:
    assert gain_of("prayer", "plain") is None
    assert gain_of("even", "not known") is None
    assert not is_gain(None)


@pytest.mark.parametrize(("low", "gains"), [(0.001, True), (0.0, False), (-0.001, False)])
def test_an_interval_that_reaches_below_zero_is_no_gain(low: float, gains: bool) -> None:
    assert is_gain(replace(GAIN, low=low)) == gains
    assert not is_gain(replace(GAIN, low=low, measure=LOSS))


def test_words_have_the_interval_and_the_runs() -> None:
    assert gain_in_words(GAIN) == "+2.9 points of accuracy (+2.1 to +3.6 on 5 runs)"
    loss = Gain("even", LOSS, -3.571, -6.9714, -0.1707, 5, 15, "plain")
    assert gain_in_words(loss) == "-3.57 nat of the last loss (-6.97 to -0.17 on 5 runs)"


@pytest.mark.parametrize(
    ("remedy", "make", "worth"),
    [
        ("even", "plain", True),
        ("adaptive", "plain", True),  # no sure gain of accuracy, but a loss that is surely lower
        ("adaptive", "normalised", False),  # a lower loss, and no gain of accuracy
        ("even", "normalised", False),
        ("even", "not known", False),
    ],
)
def test_a_training_is_worth_it_for_accuracy_or_for_the_loss_at_no_cost(remedy: str, make: str, worth: bool) -> None:
    assert is_worth_a_training(remedy, make) == worth
