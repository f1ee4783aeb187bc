"""Held-out figures of a run that can be compared with another's, and how sure their difference is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import Smoothing, counted_in_steps
from rfav_cli.diagnosis.labels import right
from rfav_cli.diagnosis.overfitting import held_out_losses
from rfav_cli.records import Difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History

SURE = 0.95
"""1 - p from which a difference counts."""
FEWEST_SAMPLES = 30
"""Samples below which the normal law gives no p value that could be relied on."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A mean over the held-out samples, and what else than the choice of samples moves it.

    Attributes:
        mean: of the samples; of losses smoothed over the epochs.
        samples: (N,) of each one, likewise; None where the store has only the mean.
        bias: what the noise of the training adds to the mean on average: a minimum of many points is too low.
        spread: standard deviation from that noise.
        measured: the mean as it was measured, where `mean` is of a smoothed curve.
    """

    mean: float
    samples: NDArray[np.float64] | None
    bias: float = 0.0
    spread: float = 0.0
    measured: float | None = None


@dataclass(frozen=True)
class EpochEstimates:
    """Loss and accuracy at an epoch."""

    epoch: int
    loss: Estimate
    accuracy: Estimate | None


def best_and_last(history: History, thresholds: Thresholds) -> tuple[EpochEstimates | None, EpochEstimates | None]:
    """The figures where the held-out loss is lowest, and those of the last epoch; None where there are none.

    Losses are told as measured, and tested smoothed over the epochs: the best by the lowest of the smoothed curve.
    The accuracy is that of the checkpoint, and the noise of a training is no error of it: another epoch is another net.
    """
    losses = held_out_losses(history)
    finite = np.flatnonzero(np.isfinite(losses).all(1))
    if not finite.size:
        return None, None
    epochs, losses = history.epochs[finite], losses[finite]
    smoothing = Smoothing.over(epochs, counted_in_steps(history, thresholds).smoothing)
    smoothed, means = smoothing.matrix @ losses, losses.mean(1)
    curve = smoothed.mean(1)
    noise = smoothing.noise(means)
    has_samples = "probe/sample_loss" in history.columns

    def measured(index: int, tested: int, bias: float, spread: float) -> EpochEstimates:
        samples = smoothed[tested] if has_samples else None
        told = float(means[index]) if thresholds.smoothing else None
        loss = Estimate(float(curve[tested]), samples, bias, spread, told)
        return EpochEstimates(int(epochs[index]), loss, _accuracy(history, int(finite[index])))

    lowest = int(np.argmin(curve))
    minima = (_valley(curve, lowest)[:, None] + noise * smoothing.simulated).min(0) - curve[lowest]
    best = measured(int(np.argmin(means)), lowest, float(minima.mean()), float(minima.std()))
    if finite[-1] < len(history) - 1:
        return best, None
    last = len(epochs) - 1
    return best, measured(last, last, 0.0, noise * math.sqrt(smoothing.matrix.squares[-1]))


def _valley(curve: NDArray[np.float64], lowest: int) -> NDArray[np.float64]:
    """The curve (E,) without the noise above its fall to the minimum and above its rise from there."""
    rise = np.minimum.accumulate(curve[: lowest - 1 if lowest else None : -1])[::-1]
    return np.concatenate([np.minimum.accumulate(curve[:lowest]), rise])


def _accuracy(history: History, index: int) -> Estimate | None:
    found = right(history)
    if found is not None and found.shape[1] and np.isfinite(found[index]).all():
        return Estimate(float(found[index].mean()), found[index])
    accuracy = float(history.accuracy[index])
    return Estimate(accuracy, None) if math.isfinite(accuracy) else None


def loss_difference(a: EpochEstimates | None, b: EpochEstimates | None, paired: bool) -> Difference | None:
    """B's loss less A's; the lower one is better. None where a run has none."""
    return None if a is None or b is None else _difference(a.loss, b.loss, paired, -1)


def accuracy_difference(a: EpochEstimates | None, b: EpochEstimates | None, paired: bool) -> Difference | None:
    """B's accuracy less A's; the higher one is better. None where a run has none.

    Accuracies go in steps of one sample, half of which on each side is taken off (a continuity correction).
    """
    if a is None or b is None or a.accuracy is None or b.accuracy is None:
        return None
    samples = [estimate.samples for estimate in (a.accuracy, b.accuracy) if estimate.samples is not None]
    return _difference(a.accuracy, b.accuracy, paired, 1, sum(0.5 / estimate.size for estimate in samples))


def _difference(a: Estimate, b: Estimate, paired: bool, good: int, step: float = 0.0) -> Difference:
    """B - A.

    Args:
        a: of run A.
        b: of run B.
        paired: the samples are the same ones in the same order.
        good: sign of a difference by which B is better.
        step: what the difference must exceed.
    """
    tested = b.mean - a.mean
    value, smoothed = tested, None
    if a.measured is not None and b.measured is not None:
        value, smoothed = b.measured - a.measured, tested
    sampling = _sampling_error(a.samples, b.samples, paired)
    if sampling is None:
        return Difference(value, smoothed=smoothed)
    correction = a.bias - b.bias
    error = math.hypot(sampling, a.spread, b.spread, correction)  # the correction is known no better than by its size
    unbiased = tested + correction
    # A correction may take from a difference, but neither turns it round nor makes one where little is to be seen.
    size = max(min(abs(tested), abs(unbiased)) - step, 0.0) if tested * unbiased > 0 else 0.0
    p = 1.0 if size == 0 else math.erfc(size / error / math.sqrt(2)) if error else 0.0
    if 1 - p < SURE:
        return Difference(value, error, p, smoothed=smoothed)
    return Difference(value, error, p, "B" if tested * good > 0 else "A", smoothed)


def _sampling_error(a: NDArray[np.float64] | None, b: NDArray[np.float64] | None, paired: bool) -> float | None:
    """Standard error of the difference of two means from the choice of samples."""
    if a is None or b is None or min(a.size, b.size) < FEWEST_SAMPLES:
        return None
    if paired:
        return float(np.std(b - a, ddof=1)) / math.sqrt(a.size)
    return math.hypot(*(float(np.std(losses, ddof=1)) / math.sqrt(losses.size) for losses in (a, b)))
