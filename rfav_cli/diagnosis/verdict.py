"""The verdict on a run: each layer's, and what they and the held-out loss say together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.collapse import EntropyCourse, follow_layer
from rfav_cli.diagnosis.divergence import find_divergence
from rfav_cli.diagnosis.doubts import doubts
from rfav_cli.diagnosis.evidence import find_evidence, missing_evidence
from rfav_cli.diagnosis.filters import look_at_filters
from rfav_cli.diagnosis.track_record import ENTROPY, LOSS, TRACK_RECORDS
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import LayerFinding, Onset, RunFinding, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.diagnosis.divergence import Divergence
    from rfav_cli.diagnosis.evidence import Evidence
    from rfav_cli.records import History


def judge(history: History, thresholds: Thresholds = Thresholds()) -> Verdict:  # noqa: B008 - frozen
    """Say what became of a run and of each of its layers."""
    divergence = find_divergence(history)
    if divergence:
        reason = f"diverged since epoch {divergence.onset.epoch}: {divergence.words}"
        run = RunFinding("diverged", reason, divergence.basis, divergence.onset)
        return Verdict(run, _unjudged(history, divergence, thresholds), doubts(history))
    evidence = find_evidence(history, thresholds)
    since, limit = None, thresholds.sparse if evidence else thresholds.collapse_alone
    if evidence and evidence.probability >= thresholds.certainty:
        since, limit = evidence.onset.epoch, thresholds.collapse
    layers = _layers(history, since, limit, thresholds)
    return Verdict(_run(history, evidence, since, layers, thresholds), layers, doubts(history))


def _layers(history: History, since: int | None, limit: float, thresholds: Thresholds) -> tuple[LayerFinding, ...]:
    entropies, findings = history.entropy, look_at_filters(history, thresholds)
    layers = (
        _layer(layer.name, layer.max_entropy, history.epochs, values, since, limit, thresholds)
        for layer, values in zip(history.run.layers, entropies.T, strict=True)
    )
    return tuple(replace(layer, filters=filters) for layer, filters in zip(layers, findings, strict=True))


def _unjudged(history: History, divergence: Divergence, thresholds: Thresholds) -> tuple[LayerFinding, ...]:
    """The layers of a run that diverged: no state fits what its last epochs have left of them."""
    last = "" if divergence.last_sound is None else f", last finite at epoch {divergence.last_sound}"
    words = f"not judged: the run diverged since epoch {divergence.onset.epoch}{last}"
    findings = look_at_filters(history, thresholds)
    return tuple(
        LayerFinding(layer.name, None, evidence=words, filters=filters)
        for layer, filters in zip(history.run.layers, findings, strict=True)
    )


def _layer(
    name: str,
    maximum: float,
    epochs: NDArray[np.int64],
    values: NDArray[np.float64],
    since: int | None,
    limit: float,
    thresholds: Thresholds,
) -> LayerFinding:
    if maximum == 0:
        return LayerFinding(name, None, evidence="has one channel: entropy says nothing of it")
    finite = np.isfinite(values).sum()
    if finite < thresholds.fewest:
        return LayerFinding(
            name, None, evidence=f"finite in {finite} of {len(values)} epochs, {thresholds.fewest} are needed"
        )
    return follow_layer(
        name, EntropyCourse.of(epochs, values, maximum, thresholds.smoothing), since, limit, thresholds.fall
    )


def _run(
    history: History,
    evidence: Evidence | None,
    since: int | None,
    layers: tuple[LayerFinding, ...],
    thresholds: Thresholds,
) -> RunFinding:
    doubt = _nothing_to_judge(history, evidence, layers, thresholds)
    if doubt:
        return RunFinding("unknown", doubt)
    collapsed = [layer for layer in layers if layer.state == "collapsed"]
    where = f"entropy collapses in {_names(collapsed)}" if collapsed else "no layer's entropy collapses"
    finding = _by_evidence(evidence, since, collapsed, where) if evidence else _by_entropy(layers, collapsed, where)
    if finding.basis == LOSS:
        return finding
    return replace(finding, reason=f"{finding.reason} ({TRACK_RECORDS[finding.basis].words})")


def _by_evidence(evidence: Evidence, since: int | None, collapsed: list[LayerFinding], where: str) -> RunFinding:
    if since is not None:
        reason = f"likely overfitting since epoch {since}: {evidence.words}; {where}"
        return RunFinding(
            "overfitting",
            reason,
            evidence.basis,
            evidence.onset,
            probability=evidence.probability,
            confidence=evidence.probability,
        )
    if collapsed:
        reason = f"{where}, but no overfitting: {evidence.words}"
        return RunFinding(
            "sparsifying",
            reason,
            evidence.basis,
            _first(collapsed),
            probability=evidence.probability,
            confidence=1 - evidence.probability,
        )
    return RunFinding(
        "healthy",
        evidence.words,
        evidence.basis,
        probability=evidence.probability,
        confidence=1 - evidence.probability,
    )


def _by_entropy(layers: tuple[LayerFinding, ...], collapsed: list[LayerFinding], where: str) -> RunFinding:
    """By the last layer: earlier ones become sparse in healthy runs too (`benchmarks/detection`)."""
    last = [layer for layer in layers if layer.state][-1]
    if last in collapsed:
        return RunFinding("overfitting", f"likely overfitting: {where}", ENTROPY, last.onset)
    if collapsed:
        reason = f"{where}, but not in the last layer, {last.name}: no sign of overfitting"
        return RunFinding("sparsifying", reason, ENTROPY, _first(collapsed))
    return RunFinding("healthy", where, ENTROPY)


def _nothing_to_judge(
    history: History, evidence: Evidence | None, layers: tuple[LayerFinding, ...], thresholds: Thresholds
) -> str:
    """Why nothing can be said, or nothing."""
    if len(history) < thresholds.fewest:
        count = f"{len(history)} epoch{'' if len(history) == 1 else 's'}"
        return f"{count} measured, {thresholds.fewest} are needed to tell a course{_level(history)}"
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


def _names(layers: list[LayerFinding]) -> str:
    return ", ".join(layer.name for layer in layers)
