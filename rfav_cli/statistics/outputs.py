"""What a net says of each probe sample and how sure it is: known without labels too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import Context, Statistic, to_numpy, widened
from rfav_cli.statistics.tasks import task_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Outputs(Statistic):
    """The class of each sample's highest score, and that class's probability by softmax.

    Outputs that are probabilities already are taken as such; log-probabilities need no case of their own, since softmax
    gives back what they are the logarithms of. Where a sample has several predictions, of tags or pixels, there is the
    mean of their confidences alone; of numbers, how far they vary. A net whose output is no such thing has no such
    columns.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._task = task_of(context.settings.task)
        self._seen = 0
        self._prediction = torch.full((context.size,), -1, dtype=torch.int32)
        self._confidence = torch.full((context.size,), torch.nan)
        self._numbers = _Spread()

    def update_output(self, rows: slice, output: Tensor) -> None:
        """Take the net's output on a batch, (n, ...)."""
        samples, labels = rows.stop - rows.start, self.context.labels
        known = None if labels is None else labels[rows]
        if self._task.words.figure and not self._task.words.is_share and output.shape[:1] == (samples,):
            self._numbers.add(widened(output).reshape(samples, -1).cpu())
            return
        choices = self._task.choices(output, samples, known, probabilities=self.context.probabilities)
        if choices is None:
            return
        self._seen += samples
        confidences = choices.confidences()
        if self._task.words.one_class:
            self._prediction[rows] = choices.predicted().cpu()
        else:
            counts = choices.of_samples(torch.ones_like(confidences), samples)
            confidences = choices.of_samples(confidences, samples) / counts
        self._confidence[rows] = confidences.cpu()

    def compute(self) -> dict[str, NDArray[Any]]:
        """`probe/sample_prediction`, -1 where a score is NaN, and `probe/sample_confidence` (N,), between 0 and 1.

        A confidence is NaN where softmax has no value: a score is NaN or infinity. Of numbers there is
        `probe/prediction_spread` () instead: the deviation over the samples, root mean square over the outputs.
        """
        if self._numbers.count:
            return {"probe/prediction_spread": np.array(self._numbers.deviation())}
        if self._seen < self.context.size:
            return {}
        confidence = {"probe/sample_confidence": to_numpy(self._confidence, np.float32)}
        if not self._task.words.one_class:
            return confidence
        return {"probe/sample_prediction": to_numpy(self._prediction, np.int32), **confidence}


class _Spread:
    """How far numbers vary over the samples, from sums of them less those of the first sample, which they are near."""

    def __init__(self) -> None:
        self.count = 0
        self._first = self._sum = self._squares = torch.zeros(0)

    def add(self, numbers: Tensor) -> None:
        """Take (n, K) float64."""
        if not self.count:
            self._first = numbers[:1]
            self._sum = self._squares = torch.zeros_like(numbers[0])
        self.count += len(numbers)
        self._sum = self._sum + (numbers - self._first).sum(0)
        self._squares = self._squares + (numbers - self._first).square().sum(0)

    def deviation(self) -> float:
        """Root of the variance, mean over the K."""
        variance = self._squares / self.count - (self._sum / self.count).square()
        return float(variance.mean().clamp(min=0).sqrt())
