"""What a training really did: the rules, fixed before any threshold of the verdict was chosen.

They see images that neither the training nor the probe has, and share no code with rfav. The rule on the loss is of
the first 64 trainings; those on accuracy, calibrated loss and chance were fixed before the first training of the
later kinds ran.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

IMAGES = 3000
"""How many tell the truth of a training."""
SIGMA = 2.0
"""Epochs; the smoothing that the onset of overfitting is defined with."""
RISE = 0.02
"""Share of the lowest smoothed loss that the last one is above it, from which on a run counts as overfitting."""
CALIBRATED_RISE = 0.01
"""The same of the calibrated loss, which no growth of the scores can raise."""
FALL, FALL_ERRORS = 0.015, 2.0
"""How far below its highest the smoothed accuracy ends, at least, where it counts as lost: a share of the images, and
standard errors of one accuracy (the two that are compared share their images and are smoothed)."""
CHANCE_ERRORS = 4.0
"""Standard errors above chance up to which an accuracy counts as chance."""
UNTRAINED = 1.5
"""How many times as good as a guess a net can be that has learnt nothing."""
TEMPERATURES = (1 / 64, 1024.0)
"""Lowest and highest temperature."""

State = Literal["healthy", "overfitting", "not learning", "broken", "diverged"]
Kind = Literal["overconfidence", "lost knowledge"]


@dataclass(frozen=True)
class Curves:
    """What was measured of a training on the images that tell the truth.

    Attributes:
        epochs: (E,), ascending; -1 is before training.
        losses: (E,) mean losses in nats; NaN where the scores are not finite.
        accuracies: (E,) shares that are right.
        calibrated: (E,) mean losses with a temperature that was fitted on other images; None where they were not kept.
        classes: how many there are.
        images: how many tell the truth.
    """

    epochs: NDArray[np.int64]
    losses: Floats
    accuracies: Floats
    calibrated: Floats | None
    classes: int
    images: int


@dataclass(frozen=True)
class Truth:
    """The outcome of a training.

    Attributes:
        state: `diverged` where the last loss is not finite; `not learning` where no epoch is above chance; `broken`
            where one was and the last is not; `overfitting` where one of the three rules says so; else `healthy`.
        kind: of overfitting: `lost knowledge` where the calibrated loss rises or the accuracy falls, `overconfidence`
            where neither does; None where only the loss rises and the calibrated one is not known, as of other states.
        onset: epoch of the lowest loss; of the lowest calibrated loss or of the highest accuracy where only those tell;
            of a broken run the first of the epochs at chance that end it. None of other states.
        rise, calibrated_rise: how far the smoothed losses end above their lowest, as a share of it; NaN: not known.
        fall: how far the smoothed accuracy ends below its highest.
    """

    state: State
    kind: Kind | None = None
    onset: int | None = None
    rise: float = 0.0
    calibrated_rise: float = math.nan
    fall: float = 0.0

    @property
    def overfits(self) -> bool:
        """It is an overfitting run."""
        return self.state == "overfitting"

    @property
    def learns(self) -> bool:
        """It ends above chance: it is healthy or overfits."""
        return self.state in {"healthy", "overfitting"}


def outcome(curves: Curves) -> Truth:
    """Judge a training."""
    if not np.isfinite(curves.losses[-1]):
        return Truth("diverged", rise=math.nan, fall=math.nan)
    rise, lowest = _rise(curves.epochs, curves.losses)
    calibrated_rise, lowest_calibrated = math.nan, None
    if curves.calibrated is not None:
        calibrated_rise, lowest_calibrated = _rise(curves.epochs, curves.calibrated)
    smoothed = smooth(curves.epochs, curves.accuracies)
    highest = int(np.argmax(smoothed))
    fall = float(smoothed[highest] - smoothed[-1])
    healthy = Truth("healthy", rise=rise, calibrated_rise=calibrated_rise, fall=fall)

    above = curves.accuracies > _chance(curves)
    if not above.any():
        return replace(healthy, state="not learning")
    if not above[-1]:
        first = len(above) - int(np.argmax(above[::-1]))
        return replace(healthy, state="broken", onset=int(curves.epochs[first]))

    forgets = fall >= max(FALL, FALL_ERRORS * standard_error(float(smoothed[highest]), curves.images))
    unsure = calibrated_rise >= CALIBRATED_RISE
    if rise >= RISE:
        sure = None if curves.calibrated is None else "overconfidence"
        kind = "lost knowledge" if forgets or unsure else sure
        return replace(healthy, state="overfitting", kind=kind, onset=lowest)
    if unsure or forgets:
        onset = lowest_calibrated if unsure else int(curves.epochs[highest])
        return replace(healthy, state="overfitting", kind="lost knowledge", onset=onset)
    return healthy


def onset_by_loss(epochs: NDArray[np.int64], losses: Floats) -> int | None:
    """Epoch of the lowest smoothed loss where the last is above it by the rule on the loss; None where it is not.

    For trainings of which no more was kept.
    """
    if not np.isfinite(losses[-1]):
        return None
    rise, lowest = _rise(epochs, losses)
    return lowest if rise >= RISE else None


def smooth(epochs: NDArray[np.int64], values: Floats) -> Floats:
    """(E,) Gaussian means over the neighbouring epochs, by a loop; NaN are passed over."""
    known = np.isfinite(values)
    smoothed = []
    for epoch in epochs:
        weights = np.exp(-0.5 * ((epochs[known] - epoch) / SIGMA) ** 2)
        smoothed.append(float((weights * values[known]).sum() / weights.sum()))
    return np.array(smoothed)


def _rise(epochs: NDArray[np.int64], losses: Floats) -> tuple[float, int]:
    """How far the smoothed losses end above their lowest, as a share of it, and the epoch of the lowest."""
    smoothed = smooth(epochs, losses)
    lowest = int(np.argmin(smoothed))
    return float(smoothed[-1] / smoothed[lowest] - 1), int(epochs[lowest])


def _chance(curves: Curves) -> float:
    """The highest accuracy that counts as chance: of a guess, or of the net before training if that is a little higher.

    A net that was trained on something else before may know the classes already.
    """
    guess = 1 / curves.classes
    for untrained in curves.accuracies[curves.epochs < 0].tolist():
        guess = max(guess, min(untrained, UNTRAINED / curves.classes))
    return guess + CHANCE_ERRORS * standard_error(guess, curves.images)


def standard_error(share: float, count: int) -> float:
    """Of a share of so many images."""
    return math.sqrt(share * (1 - share) / count)


def calibrated_loss(scores: Floats, labels: NDArray[np.int64]) -> float:
    """Mean loss in nats with a temperature: of each half of the images by the temperature that suits the other half.

    Args:
        scores: (N, classes) logits.
        labels: (N,).
    """
    if not np.isfinite(scores).all():
        return math.nan
    halves = (slice(0, None, 2), slice(1, None, 2))
    total = 0.0
    for fitted, judged in (halves, halves[::-1]):
        temperature = best_temperature(scores[fitted], labels[fitted])
        total += losses_at(temperature, scores[judged], labels[judged]).sum()
    return float(total / len(labels))


def best_temperature(scores: Floats, labels: NDArray[np.int64]) -> float:
    """The temperature of the lowest mean loss, by golden section over its logarithm: the loss has one valley in 1/T."""
    low, high = (math.log(each) for each in TEMPERATURES)
    ratio = (math.sqrt(5) - 1) / 2
    while high - low > 1e-3:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        losses = [losses_at(math.exp(each), scores, labels).mean() for each in (left, right)]
        low, high = (low, right) if losses[0] <= losses[1] else (left, high)
    return math.exp((low + high) / 2)


def losses_at(temperature: float, scores: Floats, labels: NDArray[np.int64]) -> Floats:
    """(N,) cross-entropies in nats of the scores over a temperature."""
    scaled = scores / temperature
    scaled = scaled - scaled.max(1, keepdims=True)
    return np.asarray(np.log(np.exp(scaled).sum(1)) - scaled[np.arange(len(labels)), labels])
