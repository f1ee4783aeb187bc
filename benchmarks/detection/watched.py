"""Runs judged after each of their epochs, as `rfav watch` does while they go on."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.detection.cases import Case
    from benchmarks.detection.judges import Judge

FEWEST = 2
"""Epochs that anyone can judge."""


def watched(judge: Judge, cases: Sequence[Case]) -> dict[str, Any]:
    """How soon a judge flags runs that go on to overfit, and how often it ever flags one that does not.

    Returns:
        `overfitting`, `found`: runs; `delay`: [median, lowest, highest] epochs from the true onset to the first flag,
        below 0 where it comes too early, None where nothing was found; `onset_error`: median of |told - true| then;
        `healthy`, `false_alarms`: runs.
    """
    firsts = [(case, _first_flag(judge, case)) for case in cases]
    found = [(case.truth.onset, *first) for case, first in firsts if case.truth.overfits and first]
    delays = [epoch - (onset or 0) for onset, epoch, _ in found]
    return {
        "overfitting": sum(case.truth.overfits for case in cases),
        "found": len(found),
        "delay": [statistics.median(delays), min(delays), max(delays)] if delays else None,
        "onset_error": statistics.median(abs(told - (onset or 0)) for onset, _, told in found) if found else None,
        "healthy": sum(not case.truth.overfits for case in cases),
        "false_alarms": sum(not case.truth.overfits and first is not None for case, first in firsts),
    }


def _first_flag(judge: Judge, case: Case) -> tuple[int, int] | None:
    """The epoch after which a run is first flagged, and the onset that is told then."""
    for count in range(FEWEST, len(case.history) + 1):
        so_far = case.at(slice(count))
        call = judge(so_far)
        if call.flag and call.onset is not None:
            return int(so_far.history.epochs[-1]), call.onset
    return None
