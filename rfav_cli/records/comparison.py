"""A comparison of two runs, A and B; every difference is B - A."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rfav_cli.records.notebooks import InNotebooks

if TYPE_CHECKING:
    from rfav_cli.records.verdict import LayerState, RunFinding


@dataclass(frozen=True)
class EpochFigures:
    """The held-out figures of a run at an epoch.

    Attributes:
        epoch: that was measured.
        loss: as measured in that epoch, in nats.
        accuracy: of that checkpoint, between 0 and 1; None where the store has none.
        smoothed_loss: what differences of losses are tested by: the lowest of the smoothed losses beside the best
            epoch, wherever it is, the smoothed loss of the last epoch beside the last; in nats. None where nothing is
            smoothed.
    """

    epoch: int
    loss: float
    accuracy: float | None
    smoothed_loss: float | None = None


@dataclass(frozen=True)
class RunSide:
    """One of the two runs.

    Attributes:
        store: its path, as given.
        finding: the verdict on the run.
        best: where the held-out loss is lowest; None without labels or finite losses.
        last: the last epoch; None likewise, or where its loss is not finite.
    """

    store: str
    finding: RunFinding
    best: EpochFigures | None
    last: EpochFigures | None


@dataclass(frozen=True)
class Difference:
    """A difference between the two runs, and how sure it is.

    Attributes:
        value: B - A, of the measured figures.
        error: standard error of what was tested, from the samples and, for losses, the noise of both trainings; None
            where nothing is known of the samples.
        p: probability of a difference at least as large as what was tested, to either side, between equally good runs;
            None likewise.
        better: the run that is better for sure; None where neither is.
        smoothed: B - A of the smoothed losses, which is what was tested; None where the measured figures are, the
            accuracies.
    """

    value: float
    error: float | None = None
    p: float | None = None
    better: Literal["A", "B"] | None = None
    smoothed: float | None = None

    @property
    def tested(self) -> float:
        """The difference that `error`, `p` and `better` are of."""
        return self.value if self.smoothed is None else self.smoothed


@dataclass(frozen=True)
class LayerSide:
    """A layer in one of the runs, at its last epoch.

    Attributes:
        state: of the verdict.
        entropy: mean, in nats; None where it is not finite or the layer has one channel.
        fraction: the same as a fraction of ln D.
        correlation: mean |correlation| of the filters; None where the store has none.
    """

    state: LayerState | None
    entropy: float | None
    fraction: float | None
    correlation: float | None


@dataclass(frozen=True)
class LayerComparison:
    """A layer in both runs; None where a run has none of that name. `change` says in words what became of it."""

    name: str
    a: LayerSide | None
    b: LayerSide | None
    change: str


@dataclass(frozen=True)
class Comparison(InNotebooks):
    """Two runs, A and B.

    Attributes:
        a, b: the runs.
        same_probe: both were measured on the same samples, so that the test is paired sample by sample.
        best_loss, best_accuracy: differences between the best epochs; None where a run has no such figure.
        last_loss, last_accuracy: differences between the last epochs.
        summary: what these differences mean, in words.
        layers: those of A in forward order, then those that only B has.
        notes: what the figures do not tell, or what keeps them from being compared, in words.
        unit: what the checkpoints of both are counted by, "epoch" or "step"; "epoch" where they differ.
        loss_words: what the held-out loss is called.
        figure: what the accuracy is called; empty where the task has none.
    """

    a: RunSide
    b: RunSide
    same_probe: bool
    best_loss: Difference | None
    best_accuracy: Difference | None
    last_loss: Difference | None
    last_accuracy: Difference | None
    summary: tuple[str, ...]
    layers: tuple[LayerComparison, ...]
    notes: tuple[str, ...]
    unit: str = "epoch"
    loss_words: str = "held-out loss"
    figure: str = "accuracy"
