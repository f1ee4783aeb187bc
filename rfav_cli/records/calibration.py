"""How calibrated a net is on held-out samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.records.doubt import Doubt

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 1e-4, 1e4
"""Between which a temperature is sought. The highest is that of scores which say nothing of the labels: the flatter
their softmax, the better."""


@dataclass(frozen=True)
class Calibration:
    """The temperature of one checkpoint, and what it is worth.

    Losses, errors and the confidence are NaN where they were not measured.

    Attributes:
        path: the store or the checkpoint, as given.
        epoch: of the checkpoint; None where no store says it.
        checkpoint: its file.
        samples: N, of the probe.
        output: which of several outputs holds the class scores; empty for the first tensor.
        temperature: what the scores are to be divided by, before softmax, where that helps.
        loss, calibrated_loss: the held-out loss without and with a temperature, cross-fitted over two halves of the
            probe; in nats.
        calibration_error, calibrated_error: the expected calibration error, likewise; between 0 and 1.
        accuracy: the share of the samples whose prediction is right, with a temperature or without.
        confidence: the mean probability of the predictions, without.
        helps: a temperature lowers the held-out loss for sure; where it does not, the scores are left as they are.
        task: what the net is asked for, a name of `records.tasks`.
        figure: what the accuracy is called.
        notes: what the user should be told.
        doubts: why this may not be true of the net as its owner runs it.
    """

    path: str
    epoch: int | None
    checkpoint: str
    samples: int
    output: str
    temperature: float
    loss: float
    calibrated_loss: float
    calibration_error: float
    calibrated_error: float
    accuracy: float
    confidence: float
    helps: bool = True
    task: str = "classes"
    figure: str = "accuracy"
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
