"""The held-out loss and the task's usual figure, from the same forward as the entropies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import Context, Statistic, to_numpy, widened
from rfav_cli.statistics.tasks import task_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Loss(Statistic):
    """The loss of each sample; of classes the cross-entropy in nats. NaN without labels or such an output.

    Beside it the accuracy, of tags or pixels the share of them that are predicted right; for numbers, R squared.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._task = task_of(context.settings.task)
        self._weight = 1.0 if context.labels is None else self._task.weight(context.labels)
        self._loss = torch.full((context.size,), torch.nan)
        self._right = torch.full((context.size,), torch.nan)
        self._error = torch.full((context.size,), torch.nan, dtype=torch.float64)

    def update_output(self, rows: slice, output: Tensor) -> None:
        """Take the net's output on a batch, (n, ...)."""
        if self.context.labels is None:
            return
        labels, samples = self.context.labels[rows], rows.stop - rows.start
        choices = self._task.choices(output, samples, labels, probabilities=self.context.probabilities)
        if choices is not None and choices.right is not None:
            right = (choices.predicted() == choices.right).float()
            self._right[rows] = (choices.of_samples(right, samples) * self._weight).cpu()
            self._loss[rows] = (choices.of_samples(choices.losses(), samples) * self._weight).cpu()
        errors = self._task.errors(output, labels)
        if errors is not None:
            self._error[rows] = errors.cpu()
            self._loss[rows] = errors.cpu().float()
        if self.context.own_loss is not None:
            self._loss[rows] = self.context.own_loss(output, rows).float().cpu()

    def compute(self) -> dict[str, NDArray[Any]]:
        """`probe/loss`, `probe/accuracy` (), and with labels `probe/sample_loss` (N,).

        Where a sample has several predictions there is `probe/sample_right` (N,), whose mean is the accuracy: the share
        of its tags or pixels that are predicted right, pixels by how many of them have a label. Of numbers there is
        `probe/figure` (), R squared: what part of the variance of the labels the net accounts for.
        """
        labels = self.context.labels
        if labels is None:
            return {"probe/loss": np.array(np.nan), "probe/accuracy": np.array(np.nan)}
        columns = {
            "probe/loss": to_numpy(widened(self._loss).mean(), np.float64),
            "probe/accuracy": to_numpy(self._accuracy(), np.float64),
            "probe/sample_loss": to_numpy(self._loss, np.float32),
        }
        if self._task.words.is_share and not self._task.words.one_class:
            columns["probe/sample_right"] = to_numpy(self._right, np.float32)
        if self._task.words.figure and not self._task.words.is_share:
            columns["probe/figure"] = np.array(self._explained(labels))
        return columns

    def _accuracy(self) -> Tensor:
        """The share that is right; NaN where no score is a number, so that there are no predictions."""
        is_nothing = bool(self._loss.isnan().all()) and not bool((self._right > 0).any())
        return torch.tensor(torch.nan) if is_nothing else self._right.double().mean()

    def _explained(self, labels: Tensor) -> float:
        """R squared; NaN where the labels are all the same."""
        variance = self._task.guessed(to_numpy(labels, np.float64))
        return 1 - float(self._error.mean()) / variance if variance > 0 else math.nan
