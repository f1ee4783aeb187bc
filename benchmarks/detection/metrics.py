"""How good calls are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.detection.judges import Call
    from benchmarks.detection.truth import Truth

BINS = 5


@dataclass(frozen=True)
class Score:
    """Of one judge on some runs that learn.

    Attributes:
        overfitting, healthy: how many runs are that.
        hits: overfitting runs that are flagged.
        missed: overfitting runs of which the judge says that they are healthy.
        false_alarms: healthy runs that are flagged.
        silent: runs of which the judge says neither.
        onset_errors: epochs between the onset that is told and the true one, of each hit.
    """

    overfitting: int
    healthy: int
    hits: int
    missed: int
    false_alarms: int
    silent: int
    onset_errors: tuple[int, ...]

    @property
    def precision(self) -> float | None:
        """Share of the flagged runs that overfit; None where none is flagged."""
        flagged = self.hits + self.false_alarms
        return self.hits / flagged if flagged else None

    @property
    def recall(self) -> float | None:
        """Share of the overfitting runs that are flagged; None where none overfits."""
        return self.hits / self.overfitting if self.overfitting else None

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; what a judge says nothing of is not flagged."""
        total = self.overfitting + self.hits + self.false_alarms
        return 2 * self.hits / total if total else 0.0

    @property
    def committed_f1(self) -> float | None:
        """The same over the runs of which the judge says one or the other; None where none of those overfits."""
        total = 2 * self.hits + self.missed + self.false_alarms
        return 2 * self.hits / total if total else None

    @property
    def onset_error(self) -> float | None:
        """Median absolute error of the onset over the hits, in epochs."""
        return float(np.median(self.onset_errors)) if self.onset_errors else None


def score(calls: Sequence[Call], truths: Sequence[Truth]) -> Score:
    """Hold calls against what really became of the runs; runs that end at chance or without figures are passed over."""
    pairs = [(call, truth) for call, truth in zip(calls, truths, strict=True) if truth.learns]
    hits = [(call, truth) for call, truth in pairs if call.flag and truth.overfits]
    return Score(
        overfitting=sum(truth.overfits for _, truth in pairs),
        healthy=sum(not truth.overfits for _, truth in pairs),
        hits=len(hits),
        missed=sum(call.passes and truth.overfits for call, truth in pairs),
        false_alarms=sum(call.flag and not truth.overfits for call, truth in pairs),
        silent=sum(call.silent for call, _ in pairs),
        onset_errors=tuple(
            abs(call.onset - truth.onset) for call, truth in hits if call.onset is not None and truth.onset is not None
        ),
    )


@dataclass(frozen=True)
class Bin:
    """Runs of which a judge is about equally sure that they overfit: how sure on average, and how often they do."""

    low: float
    high: float
    count: int
    stated: float
    frequency: float


def reliability(calls: Sequence[Call], truths: Sequence[Truth]) -> list[Bin]:
    """The bins of a reliability diagram that hold any run that learns."""
    stated = [(call.probability, truth.overfits) for call, truth in zip(calls, truths, strict=True) if truth.learns]
    known = [(probability, overfits) for probability, overfits in stated if probability is not None]
    bins = []
    for index in range(BINS):
        inside = [each for each in known if min(int(each[0] * BINS), BINS - 1) == index]
        if inside:
            means = np.mean(np.array(inside, np.float64), axis=0)
            bins.append(Bin(index / BINS, (index + 1) / BINS, len(inside), float(means[0]), float(means[1])))
    return bins


def brier(calls: Sequence[Call], truths: Sequence[Truth]) -> float | None:
    """Mean squared difference between the stated probability and what happened; None where none is stated."""
    errors = [
        (call.probability - truth.overfits) ** 2
        for call, truth in zip(calls, truths, strict=True)
        if call.probability is not None and truth.learns
    ]
    return float(np.mean(errors)) if errors else None
