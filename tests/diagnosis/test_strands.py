"""Which checkpoint goes on from which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.diagnosis.strands import Lineage, Strand, find_strands
from tests.diagnosis.weights import history_of, picked, training


def strands(weights, epochs=None):
    return [list(strand.members) for strand in find_strands(Lineage(history_of(weights, epochs)))]


RETURNS = ["aaaaabaaaaaa", "abababababab", "aabbaabbaabb", "aaabbbaabbba"]


@pytest.mark.parametrize(
    ("letters", "of_one_start"),
    [
        *((letters, False) for letters in ["aaaaaaaaaaaa", "aaabbbbbbbbb", "abbbbbbbbbbb", *RETURNS]),
        *((letters, True) for letters in RETURNS),  # of one start, a run that goes on from another cannot be told
    ],
)
def test_each_run_is_a_strand(letters, of_one_start):
    start = training(9)[-1] if of_one_start else None
    one, other = (training(seed, steps=[1.0] + [0.05] * 12, start=start)[1:] for seed in (1, 2))
    due = [[row for row, each in enumerate(letters) if each == letter] for letter in sorted(set(letters))]
    assert strands(picked(letters, a=one, b=other)) == sorted(due)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 1000),
    st.lists(st.sampled_from([0.0, 0.001, 0.05, 0.3, 1.0, 3.0]), min_size=2, max_size=12),
    st.sampled_from([0.0, 0.1, 0.3]),
    st.sampled_from([(40_000,), (216, 5000), (600, 600, 600)]),
)
def test_a_training_is_one_strand_whatever_its_rate(seed, steps, decay, sizes):
    assert len(strands(training(seed, steps=steps, decay=decay, sizes=sizes))) == 1


def test_a_step_that_throws_the_weights_far_keeps_them():
    lineage = Lineage(history_of(training(1, steps=[30.0, 0.1, 0.1])))
    assert lineage.are_unlike(0, 1)
    assert not lineage.is_new(0, 1)


def test_what_was_not_measured_is_left_out():
    weights = training(1, 6)
    weights[2][1] = weights[2][1] * np.nan
    lineage = Lineage(history_of(weights), copies=[4])
    assert (lineage.rows.tolist(), lineage.epochs.tolist(), len(lineage)) == ([0, 1, 3, 5], [-1, 0, 2, 4], 4)


def test_a_store_without_sketches_has_no_strands():
    history = history_of(training(1, 3))
    del history.columns["checkpoint/sketch"]
    assert find_strands(Lineage(history)) == []


def test_layers_of_zeros_are_no_evidence():
    zeros = [[np.zeros(500), np.zeros(20)]] * 4
    lineage = Lineage(history_of(zeros))
    assert not lineage.are_unlike(0, 1)
    assert not lineage.are_related(0, 1)
    assert np.isnan(lineage.correlation(0, 1))
    assert len(find_strands(lineage)) == 1


def test_what_lies_between():
    assert list(Strand((0, 4, 6)).enclosed(Strand((2, 3, 5, 9)))) == [(2, 0, 4), (3, 0, 4), (5, 4, 6)]
    assert Strand((0, 4)).overlaps(Strand((2,)))
    assert Strand((2,)).overlaps(Strand((0, 4)))
    assert not Strand((0, 4)).overlaps(Strand((5, 6)))


@pytest.mark.parametrize("value", [1e200, 1.7e308, -1.7e308, np.inf, np.nan])
def test_numbers_that_no_sketch_has_are_left_out(value):
    weights = training(0, 6)
    history = history_of(weights)
    sketches = np.array(history.sketches)
    sketches[2, 0, 3] = value
    changed = replace(history, columns={**history.columns, "checkpoint/sketch": sketches})
    assert Lineage(changed).rows.tolist() == [0, 1, 3, 4, 5]
    assert find_strands(Lineage(changed)) == [Strand((0, 1, 2, 3, 4))]
    assert np.isfinite(changed.distance[[1, 4, 5]]).all()
