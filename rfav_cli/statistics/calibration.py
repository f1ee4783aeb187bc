"""How calibrated a net is: the temperature that its scores lack, and what its held-out loss is with one.

A temperature T divides the scores before softmax: it changes no prediction, and all confidences (Guo et al., 2017, "On
Calibration of Modern Neural Networks"). A loss that rises and goes back with T was overconfidence alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.records.calibration import HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE
from rfav_cli.statistics.base import (
    Context,
    Statistic,
    are_class_scores,
    are_probabilities,
    confidences,
    predicted_classes,
    to_numpy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

BINS = 15
"""Of the confidence, equally wide from 0 to 1, for the calibration error (as Guo et al. have it)."""

MOST = 1 << 27
"""Scores of a probe that are kept, half a GiB; a probe that has more gets no temperature."""

BLOCK = 1 << 18
"""Scores that are widened to float64 at a time: bounds the scratch memory, and stays in a processor's caches."""

PRECISION = 1e-6
"""Of ln T, at which the search for it ends; the last step of Newton's method leaves far less."""

_MASKED = -1e39
"""Stands for a score of minus infinity, lower than any in float32, so that 0 times it is 0."""


class Calibration(Statistic):
    """Temperature, calibrated loss, calibration error and confidence, from the same forward as the loss.

    Outputs that are probabilities already are taken as such, and their logarithms as scores. A net whose output is no
    row of class scores has no such columns; without labels there is the confidence alone. The scores of the probe are
    kept in float32 until the checkpoint is done, at most `MOST` of them.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._seen = 0
        self._confidence = torch.full((context.size,), torch.nan)
        self._prediction = torch.full((context.size,), -1, dtype=torch.int32)
        self._scores: Tensor | None = None

    def update_output(self, rows: slice, output: Tensor) -> None:
        """Take the scores (n, classes) of a batch."""
        if not are_class_scores(output, rows.stop - rows.start):
            return
        scores = output.float()
        self._seen += len(scores)
        self._confidence[rows] = confidences(scores).cpu()
        self._prediction[rows] = predicted_classes(scores).cpu()
        if are_probabilities(scores):
            scores = scores.clamp(min=torch.finfo(torch.float32).tiny).log()
        self._keep(rows, scores)

    def _keep(self, rows: slice, scores: Tensor) -> None:
        """Keep the scores, where labels need them and there are not too many."""
        size, classes = self.context.size, scores.shape[1]
        if self.context.labels is None or size * classes > MOST:
            return
        if self._scores is None:
            self._scores = torch.full((size, classes), torch.nan)
        if self._scores.shape[1] == classes:  # else NaN stays, and so there is no temperature
            self._scores[rows] = scores.cpu()

    def compute(self) -> dict[str, NDArray[Any]]:
        """`probe/confidence`, and with labels `probe/temperature`, `probe/calibrated_loss`, `probe/calibration_error`.

        Those are (), and there are `probe/calibrated_error` (), the calibration error with the temperatures of the
        calibrated loss, and `probe/sample_calibrated_loss` (N,). Each is NaN where a score that it rests on is NaN or
        infinite, other than minus infinity for a class that a net rules out. A sample's loss that float32 cannot hold
        is kept as the largest that it can.
        """
        if self._seen < self.context.size:
            return {}
        confidence = {"probe/confidence": to_numpy(self._confidence.double().mean(), np.float64)}
        if self.context.labels is None:
            return confidence
        labels = self.context.labels.cpu()
        right = self._prediction == labels
        temperature, nothing = math.nan, torch.full((self.context.size,), torch.nan, dtype=torch.float64)
        loss, calibrated = nothing, nothing
        if self._scores is not None:
            temperature, loss, calibrated = cross_fitted(self._scores, labels)
        return confidence | {
            "probe/temperature": np.array(temperature),
            "probe/calibrated_loss": to_numpy(loss.mean(), np.float64),
            "probe/calibration_error": np.array(calibration_error(self._confidence, right)),
            "probe/calibrated_error": np.array(calibration_error(calibrated, right)),
            "probe/sample_calibrated_loss": to_numpy(loss.clamp(max=torch.finfo(torch.float32).max), np.float32),
        }


def cross_fitted(scores: Tensor, labels: Tensor) -> tuple[float, Tensor, Tensor]:
    """The temperature of all samples, and each sample's loss and confidence with that of the half it is not in.

    The samples of each class go into the halves in turn: places would not do, since a probe has its classes in turn, so
    that those at even places would be of other classes than those at odd ones.

    Args:
        scores: (N, C) float32.
        labels: (N,) int64.

    Returns:
        The temperature; (N,) float64 losses in nats and (N,) float64 confidences, NaN where a half has no temperature.
    """
    temperature = fit_temperature(scores, labels)
    start = temperature if LOWEST_TEMPERATURE < temperature < HIGHEST_TEMPERATURE else 1.0
    losses, confidences = (torch.full((len(scores),), torch.nan, dtype=torch.float64) for _ in range(2))
    order = labels.argsort(stable=True)
    for judged, other in ((order[::2], order[1::2]), (order[1::2], order[::2])):
        fitted = fit_temperature(scores[other], labels[other], start)
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
