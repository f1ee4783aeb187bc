"""Lambda follows confidence less accuracy: the law itself, and that whatever comes it is a positive number."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.errors import UsageError
from rfav_cli.training.control import GAIN, HIGHEST, LOWEST, Control, followed

shares = st.floats(0, 1)
factors = st.floats(LOWEST, HIGHEST)


@given(factors, shares, shares)
def test_the_law(factor: float, confidence: float, accuracy: float) -> None:
    """By the exponential's series in exact arithmetic, within bounds."""
    gap = Fraction(6) * (Fraction(confidence) - Fraction(accuracy))
    term, total = Fraction(1), Fraction(1)
    for number in range(1, 40):
        term = (term * gap / number).limit_denominator(10**30)
        total += term
    expected = min(max(float(Fraction(factor) * total), LOWEST), HIGHEST)
    assert followed(factor, confidence, accuracy) == pytest.approx(expected, rel=1e-9)


@given(factors, shares, shares)
def test_it_grows_where_the_net_is_surer_than_right_and_shrinks_where_it_is_less_so(
    factor: float, confidence: float, accuracy: float
) -> None:
    after = followed(factor, confidence, accuracy)
    assert LOWEST <= after <= HIGHEST
    if confidence > accuracy:
        assert after >= factor
    elif confidence < accuracy:
        assert after <= factor
    else:
        assert after == factor


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=30))
def test_whatever_comes_it_is_a_positive_number_within_bounds(figures: list[tuple[float, float]]) -> None:
    control = Control()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for confidence, accuracy in figures:
            before = control.factor
            after = control.follow(confidence, accuracy)
            assert LOWEST <= after <= HIGHEST
            if not (math.isfinite(confidence) and math.isfinite(accuracy)):
                assert after == before
    assert len(caught) <= 1


def test_figures_that_are_no_shares_are_said_once_and_then_it_goes_on() -> None:
    control = Control()
    with pytest.warns(UserWarning, match="lambda stays as it is.*nan"):
        control.follow(math.nan, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        control.follow(0.5, math.nan)
        control.follow(7.0, 0.5)
    assert control.factor == 1.0
    assert control.follow(0.6, 0.5) == pytest.approx(math.exp(GAIN * 0.1))


def test_it_comes_back_from_either_bound() -> None:
    for bound, sign in ((LOWEST, 1), (HIGHEST, -1)):
        control = Control.at(bound)
        control.follow(0.5 + 0.25 * sign, 0.5)
        assert sign * control.factor > sign * bound


@pytest.mark.parametrize("factor", [None, 1, "1", math.nan, math.inf, 0.0, -1.0, HIGHEST * 1.01])
def test_a_state_of_something_else_is_refused(factor: Any) -> None:
    with pytest.raises(UsageError, match="no factor"):
        Control.at(factor)
