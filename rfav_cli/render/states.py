"""The states of runs and layers: how each is shown everywhere, and a finding in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rfav_cli.records import Onset, RunFinding
    from rfav_cli.records.verdict import LayerState, RunState

Tone = Literal["good", "bad", "warn", "plain"]

RUN_STATES: dict[RunState, tuple[Tone, str]] = {
    "healthy": ("good", "✓"),
    "overfitting": ("bad", "▼"),
    "sparsifying": ("warn", "▲"),
    "unclear": ("warn", "◐"),
    "not learning": ("bad", "–"),
    "broken": ("bad", "↯"),
    "diverged": ("bad", "✕"),
    "unknown": ("plain", "?"),
}
"""State of a run -> its tone, its mark. `frontend/marks.js` has the same, and the colours of tones are in
`frontend/style.css`."""

LAYER_STATES: dict[LayerState, tuple[Tone, str]] = {
    "stable": ("good", "●"),
    "falling": ("warn", "▲"),
    "collapsed": ("bad", "▼"),
}
"""State of a layer -> the same."""

STYLES: dict[Tone, str] = {"good": "green", "bad": "red", "warn": "yellow", "plain": ""}
"""Tone -> its colour in a terminal."""


def state_words(run: RunFinding) -> str:
    """The state with the kind of overfitting: "overfitting (lost knowledge)"."""
    return f"{run.state} ({run.kind})" if run.kind else run.state


def since(onset: Onset | None, *, interval: bool = False) -> str:
    """Since when: " since epoch 11", " at or before epoch 3"; with the interval, " since epoch 11 (9 to 12)"."""
    if onset is None:
        return ""
    begun = f" {'at or before' if onset.at_or_before else 'since'} {onset.unit} {onset.epoch}"
    return f"{begun} ({onset.low} to {onset.high})" if interval and onset.low != onset.high else begun


def certainty(run: RunFinding) -> str:
    """How sure the state is, and how probable that the run overfits where that is another thing; empty where unknown.

    >>> from rfav_cli.records import RunFinding
    >>> certainty(RunFinding("unclear", "", probability=0.6))
    'P(overfits) 60%'
    """
    parts = []
    if run.confidence is not None:
        parts.append(f"{share(run.confidence)} sure")
    if run.probability is not None and run.state != "overfitting":
        parts.append(f"P(overfits) {share(run.probability)}")
    return ", ".join(parts)


def share(probability: float) -> str:
    """A probability that is never told as one that is certain."""
    if probability > 0.995:
        return "over 99%"
    return "under 1%" if probability < 0.005 else f"{probability:.0%}"
