"""How often verdicts were right where the truth is known: the reporting runs of `benchmarks/detection`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.diagnosis.make_of_net import Make

LOSS, CONFIDENCE, ENTROPY = "held-out loss and accuracy", "confidence, without labels", "entropy alone"
"""What a verdict can rest on."""


@dataclass(frozen=True)
class TrackRecord:
    """Of the runs that overfit, how many were found; of the healthy ones, how many were called overfitting."""

    detected: int
    overfitting: int
    false_alarms: int
    healthy: int

    def words(self, make: Make) -> str:
        """For the reason of a verdict on a net of a make."""
        nets = {"plain": " of nets without batch normalisation", "normalised": " of nets with batch normalisation"}
        return (
            f"by this basis, {self.detected} of {self.overfitting} overfitting runs{nets.get(make, '')} in rfav's "
            f"benchmark were found, with {self.false_alarms} false alarms on {self.healthy} healthy ones"
        )


TRACK_RECORDS: dict[tuple[str, Make], TrackRecord] = {
    (LOSS, "not known"): TrackRecord(21, 23, 0, 32),
    (LOSS, "plain"): TrackRecord(14, 16, 0, 27),
    (LOSS, "normalised"): TrackRecord(7, 7, 0, 5),
    (CONFIDENCE, "not known"): TrackRecord(14, 23, 0, 32),
    (CONFIDENCE, "plain"): TrackRecord(9, 16, 0, 27),
    (CONFIDENCE, "normalised"): TrackRecord(5, 7, 0, 5),
}
"""Basis and make of the net -> record, that of all nets where the make is not known.

`tests/benchmarks` holds them equal to what the committed runs give, `python -m benchmarks.detection.recorded` prints
them. By entropy alone nothing is called overfitting, so there is none."""
