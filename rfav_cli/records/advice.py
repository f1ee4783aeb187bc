"""Advice: what to do about a run, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Measure = Literal["accuracy", "loss", "calibrated loss"]
AdviceKind = Literal["keep", "temperature", "retrain", "instead", "look"]


@dataclass(frozen=True)
class Best:
    """The checkpoint that is best by a measure of the probe.

    Attributes:
        measure: by what.
        epoch: of the checkpoint.
        path: of the checkpoint, as in the store.
        value: measured there; a share or nats.
        last: measured in the last epoch.
        beyond_noise: that the last is worse is sure.
    """

    measure: Measure
    epoch: int
    path: str
    value: float
    last: float
    beyond_noise: bool


@dataclass(frozen=True)
class Gain:
    """What a remedy was worth where it was measured, against the same training without it.

    Attributes:
        remedy: its name in the benchmark.
        measure: "best accuracy", "last loss", ...
        value: mean difference over the runs.
        low, high: its 95 % interval.
        runs, trainings: that it was measured on.
        nets: of which make: "plain", "normalised", ...
    """

    remedy: str
    measure: str
    value: float
    low: float
    high: float
    runs: int
    trainings: int
    nets: str


@dataclass(frozen=True)
class AdviceStep:
    """One thing to do.

    Attributes:
        kind: "keep" a checkpoint, divide by a "temperature", "retrain" by a recipe, do something else "instead", or
            "look" for what is wrong or missing.
        words: a sentence or two.
        command: a command line that does it; empty where there is none.
        gains: what it was worth elsewhere.
    """

    kind: AdviceKind
    words: str
    command: str = ""
    gains: tuple[Gain, ...] = ()


@dataclass(frozen=True)
class Advice:
    """What to do about a run.

    Attributes:
        best: the best checkpoint by each measure that there is; they may differ.
        keep: the epoch whose checkpoint to keep; None where none can be named.
        keep_by: the measure that `keep` goes by; empty where none can be named.
        temperature: what to divide the scores of that checkpoint by; None where it is not known.
        steps: what to do, the first thing first.
        unit: what `keep` is, "epoch" or "step".
    """

    best: tuple[Best, ...]
    keep: int | None
    keep_by: Measure | Literal[""]
    temperature: float | None
    steps: tuple[AdviceStep, ...]
    unit: str = "epoch"
