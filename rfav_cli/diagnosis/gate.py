"""Whether an artefact may go on: the verdict and the last figures of a store, held against a policy."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.completeness import look_for_gaps
from rfav_cli.diagnosis.divergence import is_sound
from rfav_cli.diagnosis.filters import CORRELATIONS
from rfav_cli.diagnosis.limits import compare_with_baseline, hold_against_limits
from rfav_cli.diagnosis.rules import DOUBT_RULES, RULES
from rfav_cli.diagnosis.verdict import judge
from rfav_cli.records import CLASSIFIER, Checked, CheckedStore
from rfav_cli.records.units import said_in

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import Allowance, Baseline, History, Policy, Verdict
    from rfav_cli.records.verdict import RunState


def check(
    history: History, policy: Policy, baseline: Baseline | None, thresholds: Thresholds
) -> tuple[CheckedStore, tuple[Checked, ...]]:
    """Look at all that the policy asks for; exceptions are not applied yet."""
    verdict = judge(history, thresholds)
    checked = (
        *look_for_gaps(history, policy),
        *_doubts(history, verdict),
        *(_last_epoch(history, verdict) if policy.final else _states(history, verdict, policy)),
        *hold_against_limits(history, policy),
        *(compare_with_baseline(history, policy, baseline) if baseline else ()),
    )
    return said_in(_described(history, verdict, policy), history.unit), said_in(checked, history.unit)


def with_exceptions(
    checked: Sequence[Checked], allow: Sequence[Allowance], today: datetime.date
) -> tuple[tuple[Checked, ...], tuple[Allowance, ...]]:
    """Apply the exceptions that still hold, and flag each that has expired.

    What cannot be said stays so: an exception allows a finding, a doubt or a verdict that is unclear, not the absence
    of a figure, and no net that has learned nothing, broke or diverged.

    Args:
        checked: what was looked at.
        allow: the exceptions.
        today: in UTC.

    Returns:
        What was looked at with the exceptions applied, and the exceptions that still hold and allowed nothing.
    """
    valid = [exception for exception in allow if today <= exception.expires]
    used: list[Allowance] = []
    findings = []
    for finding in checked:
        fitting = next((exception for exception in valid if _fits(exception, finding)), None)
        if fitting and (finding.outcome == "flagged" or _can_be_allowed(finding)):
            used.append(fitting)
            findings.append(replace(finding, outcome="allowed", allowance=fitting))
        else:
            findings.append(finding)
    for exception in allow:
        if exception not in valid:
            where = f"{exception.rule} in {exception.layer}" if exception.layer != "*" else exception.rule
            message = f"the exception for {where} expired on {exception.expires.isoformat()}: {exception.reason}"
            findings.append(Checked("RFAV010", "", "", "flagged", message, "allow"))
    return tuple(findings), tuple(exception for exception in valid if exception not in used)


def _can_be_allowed(checked: Checked) -> bool:
    return checked.outcome == "missing" and RULES[checked.rule].kind in {"unclear", "doubt"}


def _fits(allowance: Allowance, checked: Checked) -> bool:
    return (
        allowance.rule == checked.rule
        and fnmatchcase(checked.layer, allowance.layer)
        and fnmatchcase(checked.store, allowance.store)
    )


def _described(history: History, verdict: Verdict, policy: Policy) -> CheckedStore:
    epochs = [int(epoch) for epoch in history.epochs]
    notes = [
        f"{layer.name} is not measured: {layer.reason}" for layer in history.run.skipped if layer.reason != CLASSIFIER
    ]
    if policy.final and epochs:
        notes.append(f"epoch {epochs[-1]} alone was judged, by limits and the baseline")
    return CheckedStore(
        path=history.path,
        digest=history.digest,
        state=verdict.run.state,
        reason=verdict.run.reason,
        epochs=(len(epochs), epochs[0], epochs[-1]) if epochs else (0, 0, 0),
        layers=tuple(layer.name for layer in history.run.layers),
        samples=history.run.probe.size,
        final=policy.final,
        notes=tuple(notes),
    )


def _doubts(history: History, verdict: Verdict) -> Iterator[Checked]:
    """Why the figures may be those of another run, or of none; what is not doubted has passed."""
    layers = {layer.name for layer in history.run.layers}
    for kind, rule in DOUBT_RULES.items():
        doubts = [doubt for doubt in verdict.doubts if doubt.kind == kind]
        if not doubts:
            yield Checked(rule, history.path, "", "passed", "nothing to doubt", "")
        for doubt in doubts:
            of_layer = doubt.where in layers
            said = replace(doubt, where="").sentence if of_layer else doubt.sentence
            layer, key = doubt.where if of_layer else "", f"doubt {doubt.where}".rstrip()
            yield Checked(rule, history.path, layer, "missing", said, key)


STATE_RULES: dict[RunState, str] = {
    "unknown": "RFAV101",
    "not learning": "RFAV108",
    "broken": "RFAV109",
    "diverged": "RFAV110",
    "unclear": "RFAV111",
}
"""State of a run that never passes -> the rule that says so."""


def _last_epoch(history: History, verdict: Verdict) -> Iterator[Checked]:
    """The last checkpoint alone does not pass where it has learned nothing, or not any more, whatever is asked for."""
    if verdict.run.state in {"not learning", "broken", "diverged"}:
        yield _without_verdict(history, verdict)
    elif len(history) and not is_sound(history)[-1]:
        words = "the figures of the last epoch are not finite"
        yield Checked("RFAV101", history.path, "", "missing", words, "fail-on")


def _without_verdict(history: History, verdict: Verdict) -> Checked:
    return Checked(STATE_RULES[verdict.run.state], history.path, "", "missing", verdict.run.reason, "fail-on")


def _states(history: History, verdict: Verdict, policy: Policy) -> Iterator[Checked]:
    """What the verdict says of the run and of each layer."""
    path, run, asked = history.path, verdict.run, set(policy.fail_on)
    if run.state in STATE_RULES and run.state != "unclear":
        yield _without_verdict(history, verdict)
        return
    if "overfitting" in asked and run.state == "unclear":
        yield _without_verdict(history, verdict)
    elif "overfitting" in asked:
        yield Checked("RFAV001", path, "", "flagged" if run.state == "overfitting" else "passed", run.reason, "fail-on")
    for layer in verdict.layers:
        if asked & {"collapsed", "falling"} and layer.state is not None:
            collapsed = layer.state == "collapsed"
            yield Checked("RFAV002", path, layer.name, "flagged" if collapsed else "passed", layer.evidence, "fail-on")
            if "falling" in asked and not collapsed:
                falling = layer.state == "falling"
                yield Checked(
                    "RFAV003", path, layer.name, "flagged" if falling else "passed", layer.evidence, "fail-on"
                )
        elif asked & {"collapsed", "falling"} and not _has_one_channel(history, layer.name):
            yield Checked("RFAV106", path, layer.name, "missing", layer.evidence, "fail-on")
    if "correlated" in asked:
        yield from _correlations(history, verdict)


def _correlations(history: History, verdict: Verdict) -> Iterator[Checked]:
    absent = CORRELATIONS - history.columns.keys()
    if absent:
        message = f"the store has no {', '.join(sorted(absent))}"
        yield Checked("RFAV106", history.path, "", "missing", message, "fail-on")
        return
    last = np.asarray(history.columns["correlation/abs_mean"][-1], np.float64)
    for layer, value in zip(verdict.layers, last, strict=True):
        correlated = [finding for finding in layer.filters if finding.problem in {"correlated", "correlating"}]
        message = correlated[0].evidence if correlated else f"mean |correlation| {value:.2f} in the last epoch"
        if correlated:
            yield Checked("RFAV004", history.path, layer.name, "flagged", message, "fail-on")
        elif np.isfinite(value):
            yield Checked("RFAV004", history.path, layer.name, "passed", message, "fail-on")


def _has_one_channel(history: History, name: str) -> bool:
    return history.run.layers[history.layer_index(name)].channels == 1
