"""How often verdicts were right where the truth is known: the reporting runs of `benchmarks/detection`."""

from __future__ import annotations

from dataclasses import dataclass

LOSS, CONFIDENCE, ENTROPY = "held-out loss and accuracy", "confidence, without labels", "entropy alone"
"""What a verdict can rest on."""


@dataclass(frozen=True)
class TrackRecord:
    """Of the runs that overfit, how many were found; of the healthy ones, how many were called overfitting."""

    detected: int
    overfitting: int
    false_alarms: int
    healthy: int

    @property
    def words(self) -> str:
        """For the reason of a verdict."""
        return (
            f"by this basis, {self.detected} of {self.overfitting} overfitting runs of rfav's benchmark were found,"
            f" with {self.false_alarms} false alarms on {self.healthy} healthy ones"
        )


TRACK_RECORDS = {
    LOSS: TrackRecord(14, 14, 0, 18),
    CONFIDENCE: TrackRecord(10, 14, 0, 18),
    ENTROPY: TrackRecord(12, 14, 3, 18),
}
"""Basis -> record; `tests/benchmarks` holds them equal to what the committed runs give."""
