"""How calibrated a net is: the temperature that its scores lack, and what its held-out loss is with one.

A temperature T divides the scores before softmax: it changes no prediction, and all confidences (Guo et al., 2017, "On
Calibration of Modern Neural Networks"). A loss that rises and goes back with T was overconfidence alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rfav_cli.records.calibration import HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE
from rfav_cli.statistics.base import Context, Statistic, to_numpy
from rfav_cli.statistics.tasks import task_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BINS = 15
"""Of the confidence, equally wide from 0 to 1, for the calibration error (as Guo et al. have it)."""

MOST = 1 << 27
"""Scores of a probe that are kept, half a GiB; a probe that has more gets no temperature."""

BLOCK = 1 << 18
"""Scores that are widened to float64 at a time: bounds the scratch memory, and stays in a processor's caches."""

FITTED = 1 << 18
"""Rows that a temperature is fitted to at most; of more, such as pixels, evenly spaced ones, and its loss is of all."""

PRECISION = 1e-6
"""Of ln T, at which the search for it ends; the last step of Newton's method leaves far less."""

_MASKED = -1e39
"""Stands for a score of minus infinity, lower than any in float32, so that 0 times it is 0."""


class _Rows(NamedTuple):
    """What is kept of a batch's R predictions: (R,) each.

    Attributes:
        each: the samples of the probe that they are of.
        confidences: of them.
        predicted, right: classes; the latter is empty without labels.
    """

    each: Tensor
    confidences: Tensor
    predicted: Tensor
    right: Tensor


class Calibration(Statistic):
    """Temperature, calibrated loss, calibration error and confidence, from the same forward as the loss.

    Outputs that are probabilities already are taken as such, and their logarithms as scores. Tags and pixels each count
    as a prediction, a row, and have one temperature. A net whose task is not to choose among classes has no such
    columns; without labels, or with a loss of the user's own, there is the confidence alone. The scores of the probe
    are kept in float32 until the checkpoint is done, at most `MOST` of them.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._task = task_of(context.settings.task)
        self._seen = self._numbers = 0
        self._rows: list[_Rows] = []
        self._scores: list[Tensor] = []

    def update_output(self, rows: slice, output: Tensor) -> None:
        """Take the net's output on a batch, (n, ...)."""
        labels, samples = self.context.labels, rows.stop - rows.start
        known = None if labels is None else labels[rows]
        choices = self._task.choices(output, samples, known, probabilities=self.context.probabilities)
        if choices is None:
            return
        self._seen += samples
        right = torch.zeros(0, dtype=torch.int64) if choices.right is None else choices.right.cpu()
        each = torch.arange(samples) if choices.each is None else choices.each.cpu()
        self._rows.append(_Rows(each + rows.start, choices.confidences().cpu(), choices.predicted().cpu(), right))
        self._numbers += choices.scores.numel()
        if self._numbers > MOST:
            self._scores.clear()
        elif choices.right is not None and self.context.own_loss is None:
            self._scores.append(choices.logarithms().cpu())

    def compute(self) -> dict[str, NDArray[Any]]:
        """`probe/confidence`, and with labels `probe/temperature`, `probe/calibrated_loss`, `probe/calibration_error`.

        Those are (), and there are `probe/calibrated_error` (), the calibration error with the temperatures of the
        calibrated loss, and `probe/sample_calibrated_loss` (N,). Each is NaN where a score that it rests on is NaN or
        infinite, other than minus infinity for a class that a net rules out. A sample's loss that float32 cannot hold
        is kept as the largest that it can.
        """
        if self._seen < self.context.size:
            return {}
        confidences = torch.cat([rows.confidences for rows in self._rows])
        confidence = {"probe/confidence": to_numpy(confidences.double().mean(), np.float64)}
        if self.context.labels is None or self.context.own_loss is not None:
            return confidence
        each, labels = torch.cat([rows.each for rows in self._rows]), torch.cat([rows.right for rows in self._rows])
        right = torch.cat([rows.predicted for rows in self._rows]) == labels
        temperature, nothing = math.nan, torch.full((len(each),), torch.nan, dtype=torch.float64)
        losses, calibrated = nothing, nothing
        if len({scores.shape[1] for scores in self._scores}) == 1:  # else NaN stays, and so there is no temperature
            samples = None if self._task.words.one_class else each
            temperature, losses, calibrated = cross_fitted(torch.cat(self._scores), labels, samples)
        size, weight = self.context.size, self._task.weight(self.context.labels)
        loss = torch.zeros(size, dtype=torch.float64).index_add_(0, each, losses) * weight
        return confidence | {
            "probe/temperature": np.array(temperature),
            "probe/calibrated_loss": to_numpy(loss.mean(), np.float64),
            "probe/calibration_error": np.array(calibration_error(confidences, right)),
            "probe/calibrated_error": np.array(calibration_error(calibrated, right)),
            "probe/sample_calibrated_loss": to_numpy(loss.clamp(max=torch.finfo(torch.float32).max), np.float32),
        }


def cross_fitted(scores: Tensor, labels: Tensor, samples: Tensor | None = None) -> tuple[float, Tensor, Tensor]:
    """The temperature of all rows, and each row's loss and confidence with that of the half it is not in.

    The samples of each class go into the halves in turn: places would not do, since a probe has its classes in turn, so
    that those at even places would be of other classes than those at odd ones. Where a sample has several rows, such as
    pixels, which are alike, all of them go into the same half, the samples by turns.

    Args:
        scores: (N, C) float32.
        labels: (N,) int64.
        samples: (N,) which sample each row is of; None where each has one.

    Returns:
        The temperature; (N,) float64 losses in nats and (N,) float64 confidences, NaN where a half has no temperature.
    """
    temperature = fit_temperature(*_some(scores, labels))
    start = temperature if LOWEST_TEMPERATURE < temperature < HIGHEST_TEMPERATURE else 1.0
    losses, confidences = (torch.full((len(scores),), torch.nan, dtype=torch.float64) for _ in range(2))
    order = labels.argsort(stable=True)
    halves = [order[::2], order[1::2]]
    if samples is not None:
        halves = [torch.nonzero(samples % 2 == odd)[:, 0] for odd in (0, 1)]
    for judged, other in (halves, halves[::-1]):
        fitted = fit_temperature(*_some(scores[other], labels[other]), start)
        if not math.isnan(fitted):
            losses[judged], confidences[judged] = _losses(scores[judged], labels[judged], 1 / fitted)
    return temperature, losses, confidences


def fit_temperature(scores: Tensor, labels: Tensor, start: float = 1.0) -> float:
    """The temperature at which scores have the lowest mean cross-entropy against labels.

    The cross-entropy is convex in 1 / T, so its slope there is zero once: Newton's method in ln T within a bracket,
    which is halved where a step leaves it or gets no shorter. As Platt's scaling does (1999, "Probabilistic Outputs for
    Support Vector Machines"), one sample more than there is counts as wrong: its label is the class next to the right
    one in score. So n samples that are all right do not make the net surer than n / (n + 1).

    Args:
        scores: (N, C) float32.
        labels: (N,) int64.
        start: where the search begins.

    Returns:
        T between `LOWEST_TEMPERATURE` and `HIGHEST_TEMPERATURE`; 1 where each sample's scores are all the same; NaN
        without samples, and where a score is NaN or infinite.
    """
    if not len(scores):
        return math.nan
    targets = _targets(scores, labels)
    low, high = math.log(1 / HIGHEST_TEMPERATURE), math.log(1 / LOWEST_TEMPERATURE)
    at, step = -math.log(start), math.inf
    if not _derivatives(scores, targets, math.exp(low))[0] < 0:
        at = low
    while True:
        slope, curvature = _derivatives(scores, targets, math.exp(at))
        if not math.isfinite(slope + curvature):
            return math.nan
        if slope == curvature == 0:
            return 1.0
        if at <= low:
            return HIGHEST_TEMPERATURE
        low, high = (low, at) if slope > 0 else (at, high)
        newton = -slope / (curvature * math.exp(at)) if curvature > 0 else math.inf
        if not low < at + newton < high or abs(newton) > abs(step) / 2:
            newton = (low + high) / 2 - at
        at, step = at + newton, newton
        if abs(step) < PRECISION:
            return math.exp(-at)


def _some(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Every so many of the rows, so that at most `FITTED` are left to fit a temperature to."""
    step = -(-len(scores) // FITTED) or 1
    return scores[::step], labels[::step]


def calibration_error(confidences: Tensor, right: Tensor) -> float:
    """The expected calibration error: the mean distance of confidence and accuracy in `BINS` bins of the confidence.

    Args:
        confidences: (N,) between 0 and 1.
        right: (N,) bool.

    Returns:
        Between 0 and 1, each bin weighed by its samples; NaN where a confidence is.
    """
    wide = confidences.double()
    if bool(wide.isnan().any()):
        return math.nan
    bins = (wide * BINS).ceil().long().clamp(1, BINS) - 1
    excess = torch.zeros(BINS, dtype=torch.float64).index_add_(0, bins, wide - right.double())
    return float(excess.abs().sum()) / len(wide)


def _targets(scores: Tensor, labels: Tensor) -> Tensor:
    """What each sample's score should be, (N,) float64 below its highest: the label's, and for a share the next one's.

    NaN where the label's class is ruled out.
    """
    share = 1 / (len(scores) + 1)
    targets = torch.empty(len(scores), dtype=torch.float64)
    for rows, below in _blocks(scores):
        own = _own(below, labels[rows])
        next_one = below.scatter_(1, labels[rows, None], _MASKED).amax(1)
        targets[rows] = torch.where(next_one > _MASKED, (1 - share) * own + share * next_one, own)
    return targets


def _derivatives(scores: Tensor, targets: Tensor, beta: float) -> tuple[float, float]:
    """The first and the second derivative of the mean cross-entropy of beta x scores, by beta.

    They are the mean over the samples of what the score is expected to be less what it should be, and of its variance.
    """
    slope = curvature = 0.0
    for rows, below in _blocks(scores):
        power = (beta * below).exp_()
        total = power.sum(1)
        first = power.mul_(below).sum(1) / total
        second = power.mul_(below).sum(1) / total
        slope += float((first - targets[rows]).sum())
        curvature += float((second - first**2).sum())
    return slope / len(scores), curvature / len(scores)


def _losses(scores: Tensor, labels: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """The cross-entropy and the highest probability of each sample at a temperature; (N,) float64 each."""
    losses, confidences = (torch.empty(len(scores), dtype=torch.float64) for _ in range(2))
    for rows, below in _blocks(scores):
        total = (beta * below).exp_().sum(1)
        losses[rows] = total.log() - beta * _own(below, labels[rows])
        confidences[rows] = 1 / total
    return losses, confidences


def _own(below: Tensor, labels: Tensor) -> Tensor:
    """The score of each sample's label, (n,); NaN where that class is ruled out."""
    own = below.gather(1, labels[:, None])[:, 0]
    return own.masked_fill(own <= _MASKED, math.nan)


def _blocks(scores: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Rows, and how far their scores are below the highest of their sample; (n, C) float64."""
    most = max(1, BLOCK // scores.shape[1])
    for start in range(0, len(scores), most):
        rows = slice(start, start + most)
        wide = scores[rows].double()
        below = wide - wide.amax(1, keepdim=True)
        yield rows, below.masked_fill_(below == -math.inf, _MASKED)
