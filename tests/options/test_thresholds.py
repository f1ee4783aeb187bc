"""Every threshold: its range, its words, its place in the documents."""

from __future__ import annotations

import math
import re
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rfav_cli.errors import UsageError
from rfav_cli.options.thresholds import Thresholds

FIELDS = fields(Thresholds)
PAGE = Path(__file__).parent.parent.parent / "docs" / "thresholds.md"
each_threshold = pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)


def wrong(value: Any, field: Any) -> UsageError:
    with pytest.raises(UsageError) as error:
        Thresholds(**{field.name: value})
    return error.value


@each_threshold
def test_has_words_a_unit_and_a_range_that_its_default_lies_in(field: Any) -> None:
    assert re.fullmatch(r"[A-Z].+\.", field.metadata["option"].help)
    assert field.metadata["option"].unit
    assert math.isfinite(field.metadata["option"].low)
    assert math.isfinite(field.metadata["option"].high)
    assert field.metadata["option"].low < field.default < field.metadata["option"].high


@each_threshold
def test_the_ends_of_the_range_are_within(field: Any) -> None:
    for end in (field.metadata["option"].low, field.metadata["option"].high):
        assert getattr(Thresholds(**{field.name: end}), field.name) == end


@each_threshold
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 10**400, np.nan, "0.5", "", None, True, False, [0.5], 0.5j], ids=repr
)
def test_what_is_no_number_is_refused(field: Any, value: Any) -> None:
    error = wrong(value, field)
    assert f"--{field.name.replace('_', '-')} " in error.what
    assert field.metadata["option"].unit in error.remedy


@each_threshold
def test_what_is_out_of_range_is_refused(field: Any) -> None:
    low, high = field.metadata["option"].low, field.metadata["option"].high
    for value in (low - 1, high + 1, low - 1e-9, high + 1e-6):
        assert field.metadata["option"].range() in wrong(value, field).remedy


def test_a_long_value_is_cut() -> None:
    assert len(wrong("x" * 10_000, FIELDS[0]).what) < 100


def test_a_number_of_epochs_is_whole() -> None:
    with pytest.raises(UsageError, match="whole number"):
        Thresholds(fewest=5.5)  # type: ignore[arg-type]


def test_two_that_say_the_same_are_equal_and_none_changes() -> None:
    assert Thresholds() == replace(Thresholds(rise=0.5), rise=Thresholds.rise)
    with pytest.raises(FrozenInstanceError):
        Thresholds().rise = 0.5  # type: ignore[misc]


@pytest.mark.skipif(not PAGE.exists(), reason="there is no docs/thresholds.md")
@each_threshold
def test_the_page_has_a_row_with_the_default(field: Any) -> None:
    rows = re.findall(r"^\|(.+)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    names = {field.name, field.name.replace("_", "-"), f"--{field.name.replace('_', '-')}"}
    (row,) = (row for row in rows if names & {*re.findall(r"`([^`]+)`", row.split("|")[0])})
    assert re.search(rf"(?<![\d.]){re.escape(f'{field.default:g}')}(?![\d.])", row)
