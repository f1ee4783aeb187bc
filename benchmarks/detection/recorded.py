"""What a verdict can say of its own record: how often its basis was right on the reporting runs of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.detection.judges import rfav_by_entropy, rfav_with_labels, rfav_without_labels
from benchmarks.detection.metrics import score
from rfav_cli.diagnosis.track_record import CONFIDENCE, ENTROPY, LOSS, TrackRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.detection.cases import Case
    from benchmarks.detection.judges import Judge

JUDGES: Mapping[str, Judge] = {
    LOSS: rfav_with_labels,
    CONFIDENCE: rfav_without_labels,
    ENTROPY: rfav_by_entropy,
}
"""What a verdict rests on -> the judge that has it."""
ALL = "all"


def make_of(case: Case) -> str:
    """The make of a run's net, which its store tells as well: "normalised" where a batch normalisation is in it."""
    return "normalised" if case.configuration.normalised else "plain"


def family_of(case: Case) -> str:
    """The kind of a training, which no store tells."""
    return case.configuration.family


def records(judge: Judge, cases: Sequence[Case], kind: Callable[[Case], str] = make_of) -> dict[str, TrackRecord]:
    """The record of a judge on each kind of run, and on all.

    Args:
        judge: one of `JUDGES`.
        cases: those that end at chance or without finite figures count neither as overfitting nor as healthy.
        kind: the name of a run's kind.
    """
    groups: dict[str, list[Case]] = {ALL: list(cases)}
    for case in cases:
        groups.setdefault(kind(case), []).append(case)
    return {name: _record(judge, members) for name, members in groups.items()}


def _record(judge: Judge, cases: Sequence[Case]) -> TrackRecord:
    found = score([judge(case) for case in cases], [case.truth for case in cases])
    return TrackRecord(found.hits, found.overfitting, found.false_alarms, found.healthy)
