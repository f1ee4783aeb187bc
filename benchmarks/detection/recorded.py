"""What a verdict can say of its own record: how often its basis was right on the reporting runs of its kind.

`python -m benchmarks.detection.recorded` prints the rows of `rfav_cli.diagnosis.track_record`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.detection.judges import rfav_with_labels, rfav_without_labels
from benchmarks.detection.metrics import score
from rfav_cli.diagnosis.track_record import CONFIDENCE, LOSS, TrackRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.detection.cases import Case
    from benchmarks.detection.judges import Judge

JUDGES: Mapping[str, Judge] = {
    LOSS: rfav_with_labels,
    CONFIDENCE: rfav_without_labels,
}
"""What a verdict rests on -> the judge that has it."""
ALL = "not known"
"""All runs: of a net whose make is not known nothing less is meant."""


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


def main() -> None:
    """Print the rows of the table."""
    from benchmarks.detection.score import cases_of

    for basis, judge in JUDGES.items():
        name = "LOSS" if basis == LOSS else "CONFIDENCE"
        for make, record in records(judge, cases_of("reporting")).items():
            figures = f"{record.detected}, {record.overfitting}, {record.false_alarms}, {record.healthy}"
            print(f'    ({name}, "{make}"): TrackRecord({figures}),')


if __name__ == "__main__":
    main()
