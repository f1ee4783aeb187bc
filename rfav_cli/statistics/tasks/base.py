"""What every task does: hold a net's output against the labels of its samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, nll_loss

from rfav_cli.statistics.base import are_probabilities, confidences, predicted_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records.tasks import Task as TaskInWords

Shape = tuple[int, ...]


class UnfitLabelsError(Exception):
    """Labels are none of a task, or do not fit the output; the text says why, as a part of a sentence."""


@dataclass(frozen=True)
class Choices:
    """What a net says where it is to choose among classes: once a sample, or once for each tag or pixel of it.

    Attributes:
        scores: (R, C) float32, or probabilities.
        right: (R,) int64, the class that each row should be; None without labels.
        each: (R,) int64, which sample of the batch each row is of; None where each sample has one.
    """

    scores: Tensor
    right: Tensor | None
    each: Tensor | None = None

    @property
    def normalised(self) -> bool:
        """Whether the scores are probabilities already; log-probabilities need no case of their own."""
        return are_probabilities(self.scores)

    def logarithms(self) -> Tensor:
        """(R, C) scores whose softmax are the probabilities."""
        return self.scores.clamp(min=torch.finfo(torch.float32).tiny).log() if self.normalised else self.scores

    def predicted(self) -> Tensor:
        """(R,) int32 class of the highest score, -1 where a score is NaN."""
        return predicted_classes(self.scores)

    def confidences(self) -> Tensor:
        """(R,) its probability."""
        return confidences(self.scores)

    def losses(self) -> Tensor:
        """(R,) cross-entropies in nats, with labels."""
        if self.right is None:
            raise ValueError("a loss needs labels")
        if self.normalised:
            return nll_loss(self.logarithms(), self.right, reduction="none")
        return cross_entropy(self.scores, self.right, reduction="none")

    def of_samples(self, rows: Tensor, samples: int) -> Tensor:
        """(samples,) sums of the rows of each sample, in the type of the rows (R,)."""
        if self.each is None:
            return rows
        return torch.zeros(samples, dtype=rows.dtype, device=rows.device).index_add_(0, self.each, rows)


class Task:
    """A task. Its methods take labels as `labels` gives them."""

    def __init__(self, words: TaskInWords) -> None:
        self.words = words

    def labels(self, raw: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """Labels in the form that the task computes with.

        Args:
            raw: (N, ...) int64 or float64.
            shape: of a sample's output.

        Raises:
            UnfitLabelsError: they are no labels of this task, or not for such an output.
        """
        raise NotImplementedError

    def reads(self, shape: Shape) -> bool:
        """Whether an output of this shape, of a sample, is one of the task's."""
        raise NotImplementedError

    def choices(
        self, output: Tensor, samples: int, labels: Tensor | None, *, probabilities: bool = False
    ) -> Choices | None:
        """What a net says of the samples of a batch, where the task is to choose among classes.

        Args:
            output: what the net gave.
            samples: n.
            labels: of these samples, or None.
            probabilities: the net ends in a sigmoid; of more classes than two the scores themselves tell.

        Returns:
            None where the output is of another kind, or the task of another.
        """
        del output, samples, labels, probabilities
        return None

    def errors(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """(n,) losses of a task that does not choose among classes; None where the output is of another kind."""
        del output, labels
        return None

    def has_one_score(self, shape: Shape, labels: Shape) -> bool:
        """Whether each choice is by one score, which may be that of a sigmoid or its logarithm of odds.

        Args:
            shape: of a sample's output.
            labels: of a sample's labels; () where there are none.
        """
        del shape, labels
        return False

    def weight(self, labels: Tensor) -> float:
        """What a row counts in the loss of its sample: so much that the mean over the samples is that over the rows."""
        del labels
        return 1.0

    def guessed(self, labels: NDArray[Any]) -> float:
        """The mean loss of saying the same of all samples: as often as it is there, or the mean; NaN for none."""
        del labels
        return math.nan

    def guessed_right(self, labels: NDArray[Any]) -> float:
        """The accuracy of saying always what is the most frequent; NaN for none."""
        del labels
        return math.nan


def whole(values: NDArray[Any]) -> bool:
    """Whether all values are whole numbers."""
    return values.dtype.kind in "iu" or bool((values == np.round(values)).all())


def are_flags(values: NDArray[Any]) -> bool:
    """Whether all values are 0 or 1."""
    return bool(((values == 0) | (values == 1)).all())


def two_classes(scores: Tensor, *, probabilities: bool) -> Tensor:
    """Scores or probabilities (R,) of the second of two classes, as (R, 2) of both.

    A score s is worth [0, s]: softmax of that is the sigmoid of s. Probabilities may be off 0 and 1 by rounding.
    """
    values = scores.float()
    if probabilities:
        values = values.clamp(0, 1)
        return torch.stack([1 - values, values], 1)
    return torch.stack([torch.zeros_like(values), values], 1)


def entropy_of(shares: NDArray[np.float64]) -> float:
    """The entropy of shares that sum to 1, in nats."""
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())
