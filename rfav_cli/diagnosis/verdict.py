"""The verdict on a run: each layer's, and what they and the samples of the probe say together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.advice import advise
from rfav_cli.diagnosis.chance import find_chance
from rfav_cli.diagnosis.curves import counted_in_steps
from rfav_cli.diagnosis.divergence import find_divergence
from rfav_cli.diagnosis.doubts import doubts
from rfav_cli.diagnosis.evidence import find_evidence, missing_evidence
from rfav_cli.diagnosis.layer_states import judge_layers, unjudged_layers
from rfav_cli.diagnosis.make_of_net import make_of_net
from rfav_cli.diagnosis.track_record import CONFIDENCE, ENTROPY, TRACK_RECORDS
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import LayerFinding, Onset, RunFinding, Verdict
from rfav_cli.records.units import said_in
from rfav_cli.text import count

if TYPE_CHECKING:
    from rfav_cli.diagnosis.chance import Chance
    from rfav_cli.diagnosis.evidence import Evidence
    from rfav_cli.records import History


def judge(history: History, thresholds: Thresholds = Thresholds()) -> Verdict:  # noqa: B008 - frozen
    """Say what became of a run and of each of its layers."""
    thresholds = counted_in_steps(history, thresholds)
    verdict = _judge(history, thresholds)
    return said_in(replace(verdict, advice=advise(history, verdict, thresholds)), history.unit)


def _judge(history: History, thresholds: Thresholds) -> Verdict:
    divergence = find_divergence(history)
    if divergence:
        reason = f"diverged since epoch {divergence.onset.epoch}: {divergence.words}"
        run = RunFinding("diverged", reason, divergence.basis, divergence.onset, figures=divergence.words)
        last = "" if divergence.last_sound is None else f", last finite at epoch {divergence.last_sound}"
        why = f"not judged: the run diverged since epoch {divergence.onset.epoch}{last}"
        return Verdict(run, unjudged_layers(history, why, thresholds), doubts(history))
    evidence = find_evidence(history, thresholds)
    chance = find_chance(history) if len(history) >= thresholds.fewest else None
    overfits = evidence is not None and evidence.probability >= thresholds.certainty and chance is None
    layers = judge_layers(history, evidence.onset.epoch if evidence and overfits else None, thresholds)
    return Verdict(_run(history, evidence, chance, layers, thresholds), layers, doubts(history))


def _run(
    history: History,
    evidence: Evidence | None,
    chance: Chance | None,
    layers: tuple[LayerFinding, ...],
    thresholds: Thresholds,
) -> RunFinding:
    doubt = _nothing_to_judge(history, evidence, layers, thresholds)
    if doubt:
        return RunFinding("unknown", doubt)
    if chance:
        return _at_chance(chance, evidence)
    collapsed = [layer for layer in layers if layer.state == "collapsed"]
    finding = _by_evidence(evidence, collapsed, thresholds) if evidence else _by_entropy(collapsed)
    if finding.basis not in {CONFIDENCE, ENTROPY} or finding.state == "unclear":
        return finding
    make = make_of_net(history)
    record = TRACK_RECORDS.get((finding.basis, make))
    if record is None:
        return finding
    suffix = f" ({record.words(make)})"
    figures = f"{finding.figures}{suffix}" if finding.figures else ""
    return replace(finding, reason=f"{finding.reason}{suffix}", figures=figures)


def _at_chance(chance: Chance, evidence: Evidence | None) -> RunFinding:
    since = "" if chance.state == "not learning" else f" since epoch {chance.onset.epoch}"
    onset = None if chance.state == "not learning" else chance.onset
    basis = evidence.basis if evidence else "predictions"
    return RunFinding(chance.state, f"{chance.state}{since}: {chance.words}", basis, onset, figures=chance.words)


def _by_evidence(evidence: Evidence, collapsed: list[LayerFinding], thresholds: Thresholds) -> RunFinding:
    probability, where = evidence.probability, _where(collapsed)
    if probability >= thresholds.certainty:
        kind = f", by {evidence.kind}" if evidence.kind else ""
        since = f"{'at or before' if evidence.onset.at_or_before else 'since'} epoch {evidence.onset.epoch}"
        return RunFinding(
            "overfitting",
            f"likely overfitting {since}{kind}: {evidence.words}; {where}",
            evidence.basis,
            evidence.onset,
            evidence.kind,
            probability,
            probability,
            f"{evidence.words}; {where}",
        )
    if evidence.is_unclear:
        one_sided = evidence.basis == CONFIDENCE
        seen = "no evidence either way" if one_sided and probability <= 1 - thresholds.certainty else "neither is sure"
        reason = f"unclear whether it overfits, {seen}: {evidence.words}; {evidence.would_decide}"
        return RunFinding("unclear", reason, evidence.basis, None, None, None if one_sided else probability)
    sure = 1 - probability
    if collapsed:
        reason = f"{where}, but no overfitting: {evidence.words}"
        return RunFinding("sparsifying", reason, evidence.basis, _first(collapsed), None, probability, sure)
    return RunFinding("healthy", evidence.words, evidence.basis, None, None, probability, sure)


def _by_entropy(collapsed: list[LayerFinding]) -> RunFinding:
    """The activations alone tell where a run changes, not whether it overfits."""
    if collapsed:
        reason = f"{_where(collapsed)}; whether it overfits is not known: that needs labels, or class scores"
        return RunFinding("sparsifying", reason, ENTROPY, _first(collapsed))
    reason = "unclear whether it overfits, no evidence either way: no layer collapses, and neither labels nor class "
    return RunFinding("unclear", f"{reason}scores were measured; labels for the probe would decide it", ENTROPY)


def _where(collapsed: list[LayerFinding]) -> str:
    """Which layers collapse, and by what."""
    if not collapsed:
        return "no layer collapses"
    by_scale = [layer.name for layer in collapsed if layer.scale is not None and layer.scale >= (layer.shape or 0.0)]
    others = [layer.name for layer in collapsed if layer.name not in by_scale]
    parts = [f"the activations of {', '.join(by_scale)} grow"] if by_scale else []
    return "; ".join([*parts, *([f"the entropy collapses in {', '.join(others)}"] if others else [])])


def _nothing_to_judge(
    history: History, evidence: Evidence | None, layers: tuple[LayerFinding, ...], thresholds: Thresholds
) -> str:
    """Why nothing can be said, or nothing."""
    if len(history) < thresholds.fewest:
        return (
            f"{count(len(history), 'epoch')} measured, {thresholds.fewest} are needed to tell a course{_level(history)}"
        )
    missing = missing_evidence(history, evidence, thresholds)
    if missing:
        return missing
    broken = [layer.name for layer, value in zip(layers, history.entropy[-1], strict=True) if not np.isfinite(value)]
    if broken:
        return f"the last epoch, {history.epochs[-1]}, has no finite entropy in {', '.join(broken)}"
    return "" if evidence or any(layer.state for layer in layers) else "no layer has an entropy that can be judged"


def _level(history: History) -> str:
    """What can be said of a checkpoint without a history."""
    shares = {
        layer.name: value / layer.max_entropy
        for layer, value in zip(history.run.layers, history.entropy[-1] if len(history) else (), strict=False)
        if np.isfinite(value) and layer.max_entropy > 0
    }
    if not shares:
        return ""
    lowest = min(shares, key=lambda name: shares[name])
    return f"; the lowest entropy is {shares[lowest]:.0%} of ln D, in {lowest}"


def _first(layers: list[LayerFinding]) -> Onset | None:
    """The earliest onset."""
    return min((layer.onset for layer in layers if layer.onset), key=lambda onset: onset.epoch, default=None)
