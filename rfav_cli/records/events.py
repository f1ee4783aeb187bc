"""What is told to whoever waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rfav_cli.records.doubt import Doubt
from rfav_cli.records.run import BadCheckpoint, Measurement
from rfav_cli.records.subject import Subject
from rfav_cli.records.training import TrainingEpoch, TrainingStep

if TYPE_CHECKING:
    from rfav_cli.records.verdict import Verdict


@dataclass(frozen=True)
class Note:
    """Something that the user should be told once while a run is measured."""

    text: str


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        checkpoint: the one that runs through the net.
        done: checkpoints measured before it, earlier runs included.
        total: checkpoints in all.
        samples: samples of this one that are done, of `size`.
        unit: what checkpoints are counted by, "epoch" or "step".
    """

    checkpoint: str
    done: int
    total: int
    samples: int
    size: int
    unit: str = "epoch"


Event = Note | Doubt | Progress | Measurement | BadCheckpoint | Subject
"""What a run tells while it goes on; a Measurement when it is safe in the store, a Subject at an analysis' end."""


@dataclass(frozen=True)
class Judged:
    """What became so far of a run that is watched; told after each of its epochs.

    Attributes:
        epoch: the last one that was measured.
        verdict: on all that the store holds.
        measurement: of that epoch; None where a store that was there already is judged.
        unit: what that is, "epoch" or "step".
    """

    epoch: int
    verdict: Verdict
    measurement: Measurement | None = None
    unit: str = "epoch"


WatchEvent = Event | Judged
"""What is told while a training is watched."""

TrainingEvent = Note | Doubt | TrainingStep | TrainingEpoch | Measurement
"""What a training tells while it goes on; a TrainingEpoch when its checkpoint is on disk."""


@dataclass(frozen=True)
class Finding:
    """One thing that `rfav doctor` looked at.

    Attributes:
        name: what was looked at.
        state: "ok"; "warning" where rfav runs, but something is to be known; "missing" where something cannot be used;
            "damaged" where a store is.
        detail: what was found, and what to do about it.
    """

    name: str
    state: Literal["ok", "warning", "missing", "damaged"]
    detail: str
