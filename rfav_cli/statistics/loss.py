"""The held-out loss and accuracy, from the same forward as the entropies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy, nll_loss

from rfav_cli.statistics.base import (
    Context,
    Statistic,
    are_class_scores,
    are_probabilities,
    predicted_classes,
    to_numpy,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Loss(Statistic):
    """Categorical cross-entropy in nats and accuracy; NaN without labels or where the output is no row of class scores.

    Outputs that are probabilities already are taken as such; log-probabilities need no case of their own, since
    normalising them changes nothing.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._loss = torch.full((context.size,), torch.nan)
        self._prediction = torch.full((context.size,), -1, dtype=torch.int32)

    def update_output(self, rows: slice, output: Tensor) -> None:
        """Take the scores (n, classes) of a batch."""
        labels = self.context.labels
        if labels is None or not are_class_scores(output, rows.stop - rows.start):
            return
        scores = output.float()
        if are_probabilities(scores):
            loss = nll_loss(scores.clamp(min=torch.finfo(torch.float32).tiny).log(), labels[rows], reduction="none")
        else:
            loss = cross_entropy(scores, labels[rows], reduction="none")
        self._prediction[rows] = predicted_classes(scores).cpu()
        self._loss[rows] = loss.cpu()

    def compute(self) -> dict[str, NDArray[Any]]:
        """`probe/loss`, `probe/accuracy` (), and with labels `probe/sample_loss` (N,)."""
        labels = self.context.labels
        if labels is None:
            return {"probe/loss": np.array(np.nan), "probe/accuracy": np.array(np.nan)}
        has_scores = bool((self._prediction >= 0).any()) or not bool(self._loss.isnan().all())
        accuracy = (self._prediction == labels.cpu()).double().mean() if has_scores else torch.tensor(torch.nan)
        return {
            "probe/loss": to_numpy(self._loss.double().mean(), np.float64),
            "probe/accuracy": to_numpy(accuracy, np.float64),
            "probe/sample_loss": to_numpy(self._loss, np.float32),
        }
