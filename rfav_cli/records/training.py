"""What a training tells while it goes on, and what it leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class TrainingStep:
    """A step that is done.

    Attributes:
        epoch: from 0 on.
        step: how many of the epoch are done, of `steps`.
        epochs: how many there are going to be.
        loss: of this batch, without penalties.
        penalty: the sum of the penalties.
    """

    epoch: int
    step: int
    steps: int
    epochs: int
    loss: float
    penalty: float


@dataclass(frozen=True)
class TrainingEpoch:
    """An epoch that is done; -1 is before training. What is not known is None.

    Attributes:
        epoch: its number.
        epochs: how many there are going to be.
        learning_rate: in this epoch.
        train_loss, train_accuracy: means over the samples as the epoch went on, without penalties: what the paper calls
            the adjusted loss (Fig. 3).
        penalties: the mean of each, by name ("sparsity/conv4", ...).
        validation_loss, validation_accuracy: at its end.
        seconds: that it took, with validation.
        validation_confidence: at its end, the mean of the largest probabilities.
        lambda_factor: what the recipe's lambdas are multiplied with from now on, where they are adaptive.
    """

    epoch: int
    epochs: int
    learning_rate: float | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    penalties: Mapping[str, float] = field(default_factory=dict)
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    seconds: float = 0.0
    validation_confidence: float | None = None
    lambda_factor: float | None = None

    @property
    def penalised_loss(self) -> float | None:
        """The training loss with the penalties, which is what is made small."""
        return None if self.train_loss is None else self.train_loss + sum(self.penalties.values())

    def row(self) -> dict[str, Any]:
        """As it stands in the log: what there is, a number that is not finite as null."""
        values: dict[str, Any] = {
            "epoch": self.epoch,
            "learning_rate": self.learning_rate,
            "train_loss": self.train_loss,
            "train_accuracy": self.train_accuracy,
            "penalties": {name: _finite(value) for name, value in self.penalties.items()} or None,
            "penalised_loss": self.penalised_loss if self.penalties else None,
            "validation_loss": self.validation_loss,
            "validation_accuracy": self.validation_accuracy,
            "validation_confidence": self.validation_confidence,
            "lambda_factor": self.lambda_factor,
            "seconds": round(self.seconds, 3),
        }
        return {
            name: _finite(value) if isinstance(value, float) else value
            for name, value in values.items()
            if value is not None
        }


@dataclass(frozen=True)
class Training:
    """What became of a training.

    Attributes:
        path: the folder of the run; empty where nothing was trained.
        rows: the log, by epoch; see `TrainingEpoch.row`.
        ended: it went on to its last epoch, and was not stopped before.
        reason: why nothing was trained.
    """

    path: str
    rows: tuple[Mapping[str, Any], ...] = ()
    ended: bool = True
    reason: str = ""


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
