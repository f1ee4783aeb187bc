"""The gate: a table of policies with the exit code of each."""

from __future__ import annotations

import datetime
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from rfav_cli.diagnosis import RULES, baseline_of, check, check_policy, gate, with_exceptions
from rfav_cli.diagnosis.gate import STATE_RULES
from rfav_cli.diagnosis.rules import DOUBT_RULES
from rfav_cli.errors import UsageError
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import (
    DOUBT_KINDS,
    Allowance,
    BadCheckpoint,
    CheckReport,
    Doubt,
    LayerFinding,
    Policy,
    RunFinding,
    SourceLocation,
    Verdict,
)
from rfav_cli.records.verdict import OverfittingKind, RunState
from tests.diagnosis.conftest import TOP, falling, learning, make_history, overfitting, sample_losses

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import Baseline, DoubtKind, History

TODAY = datetime.date(2026, 6, 15)
EPOCHS = np.arange(-1, 24)
CORRELATIONS = {
    "correlation__abs_mean": np.full((25, 2), 0.16),
    "correlation__histogram": np.zeros((25, 2, 201)),
    "correlation__degenerate": np.zeros((25, 2)),
}


def run(
    losses: Any = None, entropies: Any = None, *, epochs: Any = EPOCHS, accuracy: float = 0.8, **columns: Any
) -> History:
    if losses is None:
        losses = sample_losses(learning(epochs, 20))
    entropies = entropies or {"conv1": np.full(len(epochs), 0.9 * TOP), "fc1": np.full(len(epochs), 0.6 * TOP)}
    return make_history(epochs, entropies, losses, probe__accuracy=np.full(len(epochs), accuracy), **columns)


def overfitted(by: float = 0.4) -> History:
    entropies = {"conv1": np.full(25, 0.9 * TOP), "fc1": falling(EPOCHS, 8, by)}
    return run(sample_losses(overfitting(EPOCHS, 8, 1.0)), entropies)


def without_labels(history: History) -> History:
    columns = {**history.columns, "probe/accuracy": np.full(len(history), np.nan)}
    return replace(history, run=replace(history.run, probe=replace(history.run.probe, labels=None)), columns=columns)


def spoiled(name: str, index: Any, value: float = np.nan) -> History:
    history = run()
    column = np.array(history.columns[name])
    column[index] = value
    return replace(history, columns={**history.columns, name: column})


def gone(*epochs: int) -> History:
    return run(epochs=np.array([epoch for epoch in EPOCHS if epoch not in epochs]))


def final(**changes: Any) -> History:
    return run(epochs=np.array([9]), **changes)


def correlated() -> History:
    return run(**{**CORRELATIONS, "correlation__abs_mean": np.full((25, 2), 0.6)})


def good(**changes: Any) -> Baseline:
    return replace(baseline_of(run()), **changes)


def until(date: str, rule: str = "RFAV002", layer: str = "*", store: str = "*") -> Allowance:
    return Allowance(rule, "a reason", datetime.date.fromisoformat(date), layer, store)


def with_bad() -> History:
    return replace(run(), bad=(BadCheckpoint("run/epoch_7.pt", "cut off"),))


def doubted(kind: DoubtKind = "run", where: str = "epoch 3") -> History:
    return replace(run(), doubts=(Doubt(kind, where, "it looks wrong", "Look again.", 0.9),))


def with_bias() -> History:
    history = run()
    return replace(history, run=replace(history.run, settings=replace(history.run.settings, with_bias=True)))


LATER, BEFORE = "2026-12-31", "2026-06-14"
ALL = ("collapsed", "overfitting", "falling", "correlated")
CASES: dict[str, tuple[Callable[[], History], dict[str, Any], Callable[[], Baseline] | None, int, set[str]]] = {
    **{f"doubt of {kind}": (partial(doubted, kind), {}, None, 2, {rule}) for kind, rule in DOUBT_RULES.items()},
    # states
    "healthy": (run, {}, None, 0, set()),
    "healthy, all states asked": (lambda: run(**CORRELATIONS), {"fail_on": ALL}, None, 0, set()),
    "overfitting and collapsed": (overfitted, {}, None, 1, {"RFAV001", "RFAV002"}),
    "overfitting alone asked": (overfitted, {"fail_on": ("overfitting",)}, None, 1, {"RFAV001"}),
    "collapsed alone asked": (overfitted, {"fail_on": ("collapsed",)}, None, 1, {"RFAV002"}),
    "falling asked, collapsed there": (overfitted, {"fail_on": ("falling",)}, None, 1, {"RFAV002"}),
    "falling": (lambda: overfitted(0.1), {"fail_on": ("falling",)}, None, 1, {"RFAV003"}),
    "falling there, collapsed asked": (lambda: overfitted(0.1), {"fail_on": ("collapsed",)}, None, 0, set()),
    "overfitting without collapse": (lambda: overfitted(0.0), {}, None, 1, {"RFAV001"}),
    "correlated": (correlated, {"fail_on": ("correlated",)}, None, 1, {"RFAV004"}),
    "correlated not asked": (correlated, {}, None, 0, set()),
    "correlations missing": (run, {"fail_on": ("correlated",)}, None, 2, {"RFAV106"}),
    # limits
    "accuracy enough": (run, {"min_accuracy": 0.8}, None, 0, set()),
    "accuracy too low": (run, {"min_accuracy": 0.81}, None, 1, {"RFAV007"}),
    "accuracy without labels": (
        lambda: without_labels(run()), {"min_accuracy": 0.5, "fail_on": ("collapsed",)}, None, 2, {"RFAV104"},
    ),
    "accuracy not finite": (lambda: spoiled("probe/accuracy", -1), {"min_accuracy": 0.5}, None, 2, {"RFAV106"}),
    "entropy enough": (run, {"min_entropy": (("*", 0.6),)}, None, 0, set()),
    "entropy too low": (run, {"min_entropy": (("fc*", 0.7),)}, None, 1, {"RFAV005"}),
    "entropy of another layer": (run, {"min_entropy": (("conv*", 0.7),)}, None, 0, set()),
    "entropy of no layer": (run, {"min_entropy": (("block*", 0.1),)}, None, 2, {"RFAV103"}),
    "one glob fails, another is missing": (
        run, {"min_entropy": (("fc1", 0.7), ("fc9", 0.1))}, None, 2, {"RFAV005", "RFAV103"},
    ),
    "correlation enough": (lambda: run(**CORRELATIONS), {"max_correlation": (("*", 0.2),)}, None, 0, set()),
    "correlation too high": (lambda: run(**CORRELATIONS), {"max_correlation": (("*", 0.1),)}, None, 1, {"RFAV006"}),
    "correlation missing": (run, {"max_correlation": (("*", 0.2),)}, None, 2, {"RFAV106"}),
    "limits alone, on an overfitted run": (overfitted, {"fail_on": (), "min_accuracy": 0.5}, None, 0, set()),
    # the baseline
    "as good as the baseline": (run, {}, good, 0, set()),
    "accuracy dropped": (lambda: run(accuracy=0.7), {}, good, 1, {"RFAV008"}),
    "accuracy dropped as far as allowed": (
        lambda: run(accuracy=0.7), {"max_accuracy_drop": 0.1}, good, 0, set(),
    ),
    "accuracy risen": (lambda: run(accuracy=0.9), {}, good, 0, set()),
    "entropy dropped": (lambda: overfitted(0.6), {"fail_on": ()}, good, 1, {"RFAV009"}),
    "entropy may drop there": (
        lambda: overfitted(0.6), {"fail_on": (), "max_entropy_drop": (("fc1", 0.3),)}, good, 0, set(),
    ),
    "baseline of other samples": (run, {}, lambda: good(probe_sha256="cd" * 32), 2, {"RFAV104"}),
    "baseline of other settings": (with_bias, {}, good, 2, {"RFAV107"}),
    "baseline without accuracy": (run, {}, lambda: good(accuracy=None), 2, {"RFAV104"}),
    "neither with labels": (
        lambda: without_labels(run()), {"fail_on": ("collapsed",)}, lambda: good(accuracy=None), 0, set(),
    ),
    "layer gone": (
        lambda: run(entropies={"conv1": np.full(25, 0.9 * TOP)}), {}, good, 2, {"RFAV103"},
    ),
    "layer new": (
        run, {}, lambda: good(layers={"conv1": good().layers["conv1"]}), 2, {"RFAV103"},
    ),
    "drop of no layer": (run, {"max_entropy_drop": (("block*", 0.1),)}, good, 2, {"RFAV103"}),
    # what is missing
    "no epochs": (lambda: run(epochs=np.array([], int), losses=np.zeros((0, 9))), {}, None, 2, {"RFAV101", "RFAV102"}),
    "an epoch is missing": (lambda: gone(13), {}, None, 2, {"RFAV102"}),
    "an epoch is missing, allowed": (lambda: gone(13), {"allow_gaps": True}, None, 0, set()),
    "every second epoch": (lambda: gone(*range(1, 24, 2)), {}, None, 0, set()),
    "every second but for one": (lambda: gone(*range(1, 24, 2), 12), {}, None, 2, {"RFAV102"}),
    "reached": (run, {"last_epoch": 23}, None, 0, set()),
    "not reached": (run, {"last_epoch": 24}, None, 2, {"RFAV102"}),
    "too short for a verdict": (final, {}, None, 2, {"RFAV101"}),
    "loss of an epoch not finite": (lambda: spoiled("probe/loss", 9), {}, None, 2, {"RFAV102"}),
    "entropy of an epoch not finite": (lambda: spoiled("entropy/mean", (9, 0)), {}, None, 2, {"RFAV102"}),
    "entropy of the last not finite": (lambda: spoiled("entropy/mean", (-1, 0)), {}, None, 2, {"RFAV110"}),
    "a checkpoint was bad": (with_bad, {}, None, 2, {"RFAV105"}),
    "bad and flagged": (lambda: replace(overfitted(), bad=with_bad().bad), {}, None, 2,
                        {"RFAV001", "RFAV002", "RFAV105"}),
    # the last checkpoint alone
    "final, good enough": (final, {"final": True, "min_accuracy": 0.7}, None, 0, set()),
    "final, not good enough": (final, {"final": True, "min_accuracy": 0.9}, None, 1, {"RFAV007"}),
    "final, against a baseline": (final, {"final": True}, good, 0, set()),
    "final, dropped": (lambda: final(accuracy=0.5), {"final": True}, good, 1, {"RFAV008"}),
    "final of an overfitted run": (overfitted, {"final": True, "min_accuracy": 0.7}, None, 0, set()),
    # exceptions
    "allowed": (overfitted, {"fail_on": ("collapsed",), "allow": (until(LATER),)}, None, 0, set()),
    "allowed today for the last time": (
        overfitted, {"fail_on": ("collapsed",), "allow": (until("2026-06-15"),)}, None, 0, set(),
    ),
    "expired": (overfitted, {"fail_on": ("collapsed",), "allow": (until(BEFORE),)}, None, 1, {"RFAV002", "RFAV010"}),
    "expired and not needed": (run, {"allow": (until(BEFORE),)}, None, 1, {"RFAV010"}),
    "not needed": (run, {"allow": (until(LATER),)}, None, 0, set()),
    "of another layer": (overfitted, {"allow": (until(LATER, layer="conv*"),)}, None, 1, {"RFAV001", "RFAV002"}),
    "of another rule": (overfitted, {"fail_on": ("collapsed",), "allow": (until(LATER, "RFAV001"),)}, None, 1,
                        {"RFAV002"}),
    "of another store": (overfitted, {"fail_on": ("collapsed",), "allow": (until(LATER, store="b/*"),)}, None, 1,
                         {"RFAV002"}),
    "one of two allowed": (overfitted, {"allow": (until(LATER),)}, None, 1, {"RFAV001"}),
}  # fmt: skip
"""Case -> (run, policy, baseline, exit code, rules that are found)."""


def report(history: History, policy: Policy, baseline: Baseline | None = None) -> CheckReport:
    store, checked = check(history, policy, baseline, Thresholds())
    done, unused = with_exceptions(checked, policy.allow, TODAY)
    return CheckReport((store,), done, RULES, SourceLocation(), unused)


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 40
    assert {code for *_, code, _ in CASES.values()} == {0, 1, 2}
    assert {rule for *_, rules in CASES.values() for rule in rules} | {*STATE_RULES.values()} == set(RULES)


@pytest.mark.parametrize("name", CASES)
def test_policy(name: str) -> None:
    make, options, make_baseline, code, rules = CASES[name]
    policy = Policy(**options)
    check_policy(policy, compared=make_baseline is not None)
    done = report(make(), policy, make_baseline() if make_baseline else None)
    assert ({each.rule for each in done.findings}, done.code) == (rules, code), done.findings


def judged_as(monkeypatch: pytest.MonkeyPatch, state: RunState, kind: OverfittingKind | None = None) -> None:
    """The verdict on each run that is checked, whatever it measured; its layers are stable."""
    layers = tuple(LayerFinding(name, "stable", evidence="as it was") for name in ("conv1", "fc1"))
    finding = RunFinding(state, f"it is {state}", kind=kind)
    monkeypatch.setattr(gate, "judge", lambda *_: Verdict(finding, layers))


LIMIT = {"min_accuracy": 0.5}


@pytest.mark.parametrize("state", get_args(RunState))
@pytest.mark.parametrize("options", [{}, LIMIT, {"fail_on": (), **LIMIT}, {"fail_on": ("collapsed",)}])
@pytest.mark.parametrize("final", [False, True])
def test_no_run_in_a_bad_state_passes(
    monkeypatch: pytest.MonkeyPatch, state: RunState, options: dict[str, Any], final: bool
) -> None:
    judged_as(monkeypatch, state)
    done = report(run(), Policy(**{**options, **LIMIT}, final=final))
    never = {"not learning", "broken", "diverged"} | (set() if final else {"unknown"})
    asked = not final and "overfitting" in options.get("fail_on", Policy.fail_on)
    expected = 2 if state in never or (asked and state == "unclear") else 1 if asked and state == "overfitting" else 0
    assert done.code == expected
    assert {found.rule for found in done.findings} == {0: set(), 1: {"RFAV001"}, 2: {STATE_RULES.get(state)}}[expected]
    assert all(found.message == f"it is {state}" for found in done.findings)


@pytest.mark.parametrize("kind", get_args(OverfittingKind))
def test_either_kind_of_overfitting_is_flagged(monkeypatch: pytest.MonkeyPatch, kind: OverfittingKind) -> None:
    judged_as(monkeypatch, "overfitting", kind)
    assert [found.rule for found in report(run(), Policy()).findings] == ["RFAV001"]


@pytest.mark.parametrize("state", STATE_RULES)
def test_what_is_unclear_can_be_allowed_and_no_other_state(monkeypatch: pytest.MonkeyPatch, state: RunState) -> None:
    judged_as(monkeypatch, state)
    policy = Policy(allow=(until(LATER, STATE_RULES[state]),))
    assert report(run(), policy).code == (0 if state == "unclear" else 2)
    if state == "unclear":
        check_policy(policy, compared=False)
        assert report(run(), Policy(allow=(until(BEFORE, "RFAV111"),))).code == 2
    else:
        with pytest.raises(UsageError, match=STATE_RULES[state]):
            check_policy(policy, compared=False)


@pytest.mark.parametrize("kind", DOUBT_KINDS)
@pytest.mark.parametrize("final", [False, True])
def test_no_doubt_passes_unless_it_is_allowed(kind: DoubtKind, final: bool) -> None:
    rule, policy = DOUBT_RULES[kind], Policy(final=final, min_accuracy=0.5)
    assert (report(doubted(kind), policy).code, RULES[rule].kind) == (2, "doubt")
    assert report(doubted(kind), replace(policy, allow=(until(LATER, rule),))).code == 0
    assert report(doubted(kind), replace(policy, allow=(until(BEFORE, rule),))).code == 2
    assert report(run(), policy).code == 0


def test_a_doubt_names_the_layer_or_says_where() -> None:
    (of_layer,) = report(doubted("chance", "fc1"), Policy()).findings
    assert (of_layer.layer, of_layer.message) == ("fc1", "it looks wrong. Look again.")
    (of_epoch,) = report(doubted("run", "epoch 3"), Policy()).findings
    assert (of_epoch.layer, of_epoch.message) == ("", "epoch 3: it looks wrong. Look again.")
    several = replace(doubted("run"), doubts=tuple(doubted("run", f"epoch {n}").doubts[0] for n in (3, 4)))
    assert len({finding.key for finding in report(several, Policy()).findings}) == 2


def test_an_exception_that_is_not_needed_is_told() -> None:
    assert report(run(), Policy(allow=(until(LATER),))).unused == (until(LATER),)
    assert report(overfitted(), Policy(allow=(until(LATER),))).unused == ()
