"""The committed runs of the detection benchmark, scored anew: what moves a figure of the verdict fails here."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.detection.candidates import auc, best_f1
from benchmarks.detection.cases import HALVES, RUNS
from benchmarks.detection.configurations import FIRST, split
from benchmarks.detection.judges import (
    LOSSES,
    OUTPUTS,
    Call,
    early_stopping,
    without,
)
from benchmarks.detection.metrics import reliability, score
from benchmarks.detection.recorded import JUDGES, records
from benchmarks.detection.score import FRONT_PAGE, README, cases_of, evaluate, first_of
from benchmarks.detection.tables import front, render
from benchmarks.detection.train import PROBE, partition
from benchmarks.detection.truth import IMAGES, Truth
from benchmarks.pages import marked
from rfav_cli.diagnosis.track_record import TRACK_RECORDS

HEALTHY, ILL, BROKEN = Truth("healthy"), Truth("overfitting", None, 7, 0.5), Truth("broken", onset=3)


TEXT = README.read_text(encoding="utf-8")


def recorded(half: str) -> str:
    """The tables of a half in the README."""
    return marked(TEXT, f"the {half} runs")[1]


RECORDED = tuple(half for half in HALVES if recorded(half))
"""A half is scored once thresholds are chosen; until then it has no tables."""


@pytest.mark.parametrize("half", RECORDED)
def test_the_readme_has_the_tables_that_the_code_gives(half: str) -> None:
    assert recorded(half) == render(evaluate(half))


@pytest.mark.parametrize("half", RECORDED)
def test_a_half_with_tables_has_all_first_runs_and_most_of_the_later_kinds(half: str) -> None:
    planned, there = split()[HALVES.index(half)], [case.name for case in cases_of(half)]
    assert there == [each.name for each in planned if each.name in there]
    assert {each.name for each in planned if each.family == FIRST} <= set(there)
    assert {case.configuration.family for case in cases_of(half)} == {each.family for each in planned}
    assert len(there) >= 52


def test_the_tuning_runs_have_tables() -> None:
    assert "tuning" in RECORDED


@pytest.mark.parametrize("half", RECORDED)
def test_each_half_has_both_outcomes_in_like_numbers(half: str) -> None:
    assert 0.35 <= np.mean([case.truth.overfits for case in cases_of(half) if case.truth.learns]) <= 0.65


def test_the_halves_share_no_configuration() -> None:
    tuning, reporting = split()
    names = Counter(each.name for each in (*tuning, *reporting))
    assert set(names.values()) == {1}
    assert len(names) >= 48
    assert abs(len(tuning) - len(reporting)) <= 1


def test_every_committed_run_is_of_a_half() -> None:
    assert {path.stem for path in RUNS.glob("*.h5")} <= {each.name for half in split() for each in half}


def test_committed_runs_hold_no_images_and_no_paths() -> None:
    for case in itertools.chain.from_iterable(map(cases_of, RECORDED)):
        assert case.history.run.probe.thumbnails is None
        assert not any("map" in name for name in case.history.columns)
        assert all("/" not in checkpoint.path for checkpoint in case.history.checkpoints)


def test_the_truth_is_told_by_other_images_than_the_probe_and_the_training() -> None:
    probe, truth, rest = partition(50_000)
    assert (len(probe), len(truth)) == (PROBE, IMAGES)
    assert len({*probe.tolist(), *truth.tolist(), *rest.tolist()}) == 50_000


def test_scores_of_calls_by_hand() -> None:
    calls = [Call(True, 9), Call(True, 6), Call(False), Call(True, 3), Call(False), Call(False, silent=True)]
    truths = [ILL, ILL, ILL, HEALTHY, HEALTHY, HEALTHY]
    found = score(calls, truths)
    assert (found.hits, found.overfitting, found.false_alarms, found.healthy, found.silent) == (2, 3, 1, 3, 1)
    assert found.precision == found.recall == found.f1 == found.committed_f1 == pytest.approx(2 / 3)
    assert (found.missed, found.onset_error) == (1, 1.5)
    silent = score([Call(False)], [HEALTHY])
    assert (silent.precision, silent.recall, silent.f1, silent.committed_f1) == (None, None, 0.0, None)
    assert silent.onset_error is None


def test_runs_that_do_not_learn_count_neither_way() -> None:
    calls = [Call(True, 7), Call(False), Call(True, 1)]
    assert score(calls, [ILL, HEALTHY, BROKEN]) == score(calls[:2], [ILL, HEALTHY])


def test_what_a_judge_leaves_open_lowers_only_the_f1_over_all_runs() -> None:
    found = score([Call(True, 7), Call(False, silent=True)], [ILL, ILL])
    assert (found.recall, found.committed_f1, found.missed) == (0.5, 1.0, 0)
    assert found.f1 == pytest.approx(2 / 3)


def test_a_reliability_diagram_by_hand() -> None:
    calls = [Call(False, probability=0.1), Call(False, probability=0.15), Call(True, 1, 1.0), Call(True, 1)]
    low, high = reliability(calls, [HEALTHY, ILL, ILL, ILL])
    assert (low.count, low.stated, low.frequency) == (2, pytest.approx(0.125), 0.5)
    assert (high.low, high.high, high.count, high.stated, high.frequency) == (0.8, 1.0, 1, 1.0, 1.0)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=12))
def test_single_figures_are_judged_like_their_slow_twins(pairs: list[tuple[int, bool]]) -> None:
    values, truth = np.array([float(value) for value, _ in pairs]), np.array([ill for _, ill in pairs])
    ill, well = [v for v, t in pairs if t], [v for v, t in pairs if not t]
    if ill and well:
        order = [1.0 if a > b else 0.5 if a == b else 0.0 for a in ill for b in well]
        assert auc(values, truth) == pytest.approx(sum(order) / len(order))
    best = 0.0
    for limit in range(6):
        calls = [Call(value >= limit) for value, _ in pairs]
        best = max(best, score(calls, [ILL if t else HEALTHY for _, t in pairs]).f1)
    assert best_f1(values, truth) == pytest.approx(best)


def test_early_stopping_waits_as_long_as_it_should() -> None:
    case = next(case for case in first_of("tuning") if case.truth.overfits)
    losses = case.history.loss.tolist()
    for patience in (1, 4, 10):
        call = early_stopping(patience)(case)
        assert call.onset is not None
        best = case.history.epochs.tolist().index(call.onset)
        assert min(losses[best : best + patience + 1]) == losses[best] == min(losses[: best + 1])


def test_a_run_without_labels_knows_no_loss() -> None:
    history = without(cases_of("tuning")[0].history, LOSSES + OUTPUTS)
    assert history.run.probe.labels is None
    assert np.isnan(history.loss).all()
    assert not any(name.startswith("probe/") for name in history.columns)


def test_a_run_cut_at_its_onset_ends_there() -> None:
    case = next(case for case in cases_of("tuning") if case.truth.overfits)
    cut = case.until_onset()
    assert cut.history.epochs[-1] == case.truth.onset
    assert not cut.truth.overfits
    assert (cut.history.entropy == case.history.entropy[: len(cut.history)]).all()
    assert case.at(slice(None, None, 5)).history.epochs.tolist() == case.history.epochs.tolist()[::5]


def test_the_front_page_has_the_figures_of_the_reporting_runs() -> None:
    page = FRONT_PAGE.read_text(encoding="utf-8")
    assert marked(page, "the detection benchmark")[1] == f"{front(evaluate('reporting'))}\n"


@pytest.mark.parametrize(("basis", "make"), TRACK_RECORDS)
def test_verdicts_state_the_record_that_the_reporting_runs_give(basis, make) -> None:
    assert TRACK_RECORDS[basis, make] == records(JUDGES[basis], cases_of("reporting"))[make]
