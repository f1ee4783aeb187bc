"""What a net says of each probe sample and how sure it is: known without labels too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import (
    Context,
    Statistic,
    are_class_scores,
    confidences,
    predicted_classes,
    to_numpy,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Outputs(Statistic):
    """The class of each sample's highest score, and that class's probability by softmax.

    A net whose output is no row of class scores has no such columns.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._seen = 0
        self._prediction = torch.full((context.size,), -1, dtype=torch.int32)
        self._confidence = torch.full((context.size,), torch.nan)

    def update_output(self, rows: slice, output: Tensor) -> None:
        """Take the scores (n, classes) of a batch."""
        if not are_class_scores(output, rows.stop - rows.start):
            return
        scores = output.float()
        self._seen += len(scores)
        self._prediction[rows] = predicted_classes(scores).cpu()
        self._confidence[rows] = confidences(scores).cpu()

    def compute(self) -> dict[str, NDArray[Any]]:
        """`probe/sample_prediction`, -1 where a score is NaN, and `probe/sample_confidence` (N,), between 0 and 1.

        A confidence is NaN where softmax has no value: a score is NaN or infinity.
        """
        if self._seen < self.context.size:
            return {}
        return {
            "probe/sample_prediction": to_numpy(self._prediction, np.int32),
            "probe/sample_confidence": to_numpy(self._confidence, np.float32),
        }
