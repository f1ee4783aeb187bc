"""A verdict: what became of each layer and of the run, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rfav_cli.records.notebooks import InNotebooks

if TYPE_CHECKING:
    from rfav_cli.records.advice import Advice
    from rfav_cli.records.doubt import Doubt

LayerState = Literal["stable", "falling", "collapsed"]
RunState = Literal["healthy", "overfitting", "sparsifying", "unclear", "not learning", "broken", "diverged", "unknown"]
OverfittingKind = Literal["overconfidence", "lost knowledge"]
FilterProblem = Literal["nonfinite", "constant", "duplicate", "correlated", "correlating"]


@dataclass(frozen=True)
class Onset:
    """Since when.

    Attributes:
        epoch: the most likely epoch, one that was measured.
        low, high: the measured epochs that it lies between, both included.
        at_or_before: that epoch is the first that was measured, so that it may have begun before.
        unit: what these are, "epoch" or "step".
    """

    epoch: int
    low: int
    high: int
    at_or_before: bool = False
    unit: str = "epoch"


@dataclass(frozen=True)
class FilterFinding:
    """Something about a layer's weights.

    Attributes:
        problem: "nonfinite" (filters with weights that are NaN or infinite), "constant" (filters without variance),
            "duplicate" (pairs that are nearly the same or the opposite), "correlated" (from the first checkpoint on),
            "correlating" (more and more so).
        count: filters, pairs, or 0 where it concerns the layer as a whole.
        evidence: in words, with the figures that it rests on.
    """

    problem: FilterProblem
    count: int
    evidence: str


@dataclass(frozen=True)
class LayerFinding:
    """What became of a layer.

    Attributes:
        name: of the layer.
        state: None where nothing can be said; `evidence` says why.
        onset: the first epoch of its fall, for a layer that is falling or collapsed.
        fall: nats lost from the highest of its smoothed entropies to the last of them; None where nothing can be said.
        fall_fraction: the same, smoothed, as a fraction of ln D.
        scale, shape: nats of the fall that are growth of the activations, and loss of shape; None where the store has
            no such figures, or nothing can be said.
        confidence: that the state is right, between 0 and 1.
        evidence: in words, with measured figures, and with smoothed ones that are called so.
        filters: what is to be said of its weights.
    """

    name: str
    state: LayerState | None
    onset: Onset | None = None
    fall: float | None = None
    fall_fraction: float | None = None
    scale: float | None = None
    shape: float | None = None
    confidence: float | None = None
    evidence: str = ""
    filters: tuple[FilterFinding, ...] = ()


@dataclass(frozen=True)
class RunFinding:
    """What became of the run.

    Attributes:
        state: "overfitting" by its `kind`; "sparsifying" where layers collapse, and it does not overfit or that is not
            known; "unclear" where what was measured does not decide; "not learning" where the predictions are no better
            than chance in every epoch, or the same for all samples; "broken" where they became so and stayed so;
            "diverged" where the last figures are not finite, or a loss has no bounds any more, and they were before;
            "unknown" where too little or nothing fit to be judged was measured.
        reason: in words, a sentence of its own.
        figures: the same without what state, kind and onset say, to stand beside those; empty where that is all of it.
        basis: what the finding rests on.
        onset: of overfitting, or of the collapse of layers without it; of a run that broke or diverged the first epoch
            from which on it was so.
        kind: of overfitting. "overconfidence": the loss rises, that after calibration does not; "lost knowledge": that
            rises, too, or the accuracy falls. None of other states, and where it is not known.
        probability: that the run overfits, between 0 and 1; None where that cannot be said.
        confidence: that the state is right, between 0 and 1; None where that cannot be said.
    """

    state: RunState
    reason: str
    basis: str = ""
    onset: Onset | None = None
    kind: OverfittingKind | None = None
    probability: float | None = None
    confidence: float | None = None
    figures: str = ""

    @property
    def beside_state(self) -> str:
        """The reason as it stands where state, kind and onset are told already."""
        return self.figures or self.reason


@dataclass(frozen=True)
class Verdict(InNotebooks):
    """What became of a run.

    Attributes:
        run: as a whole.
        layers: in forward order.
        doubts: why the rest may not be true of the run as its owner ran it.
        advice: what to do; None where nothing was asked.
    """

    run: RunFinding
    layers: tuple[LayerFinding, ...]
    doubts: tuple[Doubt, ...] = ()
    advice: Advice | None = None

    def in_state(self, *states: LayerState) -> tuple[LayerFinding, ...]:
        """The layers that are in one of the states."""
        return tuple(layer for layer in self.layers if layer.state in states)
