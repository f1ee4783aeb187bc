"""A verdict: what became of each layer and of the run, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rfav_cli.records.notebooks import InNotebooks

if TYPE_CHECKING:
    from rfav_cli.records.doubt import Doubt

LayerState = Literal["stable", "falling", "collapsed"]
RunState = Literal["healthy", "overfitting", "sparsifying", "diverged", "unknown"]
FilterProblem = Literal["nonfinite", "constant", "duplicate", "correlated", "correlating"]


@dataclass(frozen=True)
class Onset:
    """Since when.

    Attributes:
        epoch: the most likely epoch, one that was measured.
        low, high: the measured epochs that it lies between, both included.
    """

    epoch: int
    low: int
    high: int


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
        confidence: that the state is right, between 0 and 1.
        evidence: in words, with measured figures, and with smoothed ones that are called so.
        filters: what is to be said of its weights.
    """

    name: str
    state: LayerState | None
    onset: Onset | None = None
    fall: float | None = None
    fall_fraction: float | None = None
    confidence: float | None = None
    evidence: str = ""
    filters: tuple[FilterFinding, ...] = ()


@dataclass(frozen=True)
class RunFinding:
    """What became of the run.

    Attributes:
        state: "diverged" where the last figures are not finite, or a loss has no bounds any more, and they were before;
            "unknown" where too little or nothing fit to be judged was measured.
        onset: the onset of overfitting, or of the collapse of layers without it; of a run that diverged the first epoch
            from which on no figures are finite.
        confidence: that the run overfits, between 0 and 1; None for "diverged" and "unknown".
        basis: what the finding rests on.
        reason: in words.
    """

    state: RunState
    reason: str
    basis: str = ""
    onset: Onset | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Verdict(InNotebooks):
    """What became of a run.

    Attributes:
        run: as a whole.
        layers: in forward order.
        doubts: why the rest may not be true of the run as its owner ran it.
    """

    run: RunFinding
    layers: tuple[LayerFinding, ...]
    doubts: tuple[Doubt, ...] = ()

    def in_state(self, *states: LayerState) -> tuple[LayerFinding, ...]:
        """The layers that are in one of the states."""
        return tuple(layer for layer in self.layers if layer.state in states)
