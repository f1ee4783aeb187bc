"""Curves along the epochs: smoothing that knows gaps, and what the noise of a training does to a smoothed curve."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records.strides import stride_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History

REPLICATES = 200
"""Simulated curves that an allowance for noise rests on."""
_ROWS = 256
"""Points of a curve that are smoothed at once."""
_FAR = 9.0
"""Sigmas beyond which a Gaussian is less than what doubles add to its largest value."""
NARROWEST = 10
"""Sigmas that a run spans at least: a wider smoothing hides what its last epochs did."""


def sigma_within(epochs: NDArray[np.int64], most: float) -> float:
    """The smoothing of a run: a tenth of the epochs that it spans, and no more than asked.

    Args:
        epochs: (E,), ascending, E > 0.
        most: sigma in epochs, of a run that is long enough.
    """
    return min(most, float(epochs[-1] - epochs[0]) / NARROWEST)


def counted_in_steps(history: History, thresholds: Thresholds) -> Thresholds:
    """The thresholds as they hold for a run that is counted by steps: one from checkpoint to checkpoint is an epoch.

    A sigma of 2 is meant of epochs; of runs that are saved every 500 steps it would be none.
    """
    if history.unit != "step":
        return thresholds
    return replace(thresholds, smoothing=thresholds.smoothing * max(stride_of(history.epochs.tolist()), 1))


class SmoothingMatrix:
    """Gaussian smoothing over the epochs as they are numbered, so that gaps and sparse checkpoints count as such.

    It is an (E, E) matrix whose rows sum to 1, also at the ends: nothing is made up beyond them. What lies further from
    the diagonal than doubles can tell from 0 is not kept, so long runs take memory by their length alone.

    Args:
        epochs: (E,), ascending.
        sigma: in epochs; 0 leaves a curve as it is.
    """

    def __init__(self, epochs: NDArray[np.int64], sigma: float) -> None:
        self._blocks: list[tuple[slice, slice, NDArray[np.float64]]] = []
        for start in range(0, len(epochs), _ROWS):
            rows = slice(start, min(start + _ROWS, len(epochs)))
            reach = _FAR * sigma
            first, last = np.searchsorted(epochs, (epochs[rows.start] - reach, epochs[rows.stop - 1] + reach + 1))
            columns = slice(int(first), int(last))
            self._blocks.append((rows, columns, _gaussian(epochs[rows], epochs[columns], sigma)))

    def __matmul__(self, curves: NDArray[np.float64]) -> NDArray[np.float64]:
        """The smoothed (E, ...) of curves (E, ...)."""
        smoothed = np.empty(curves.shape)
        for rows, columns, weights in self._blocks:
            smoothed[rows] = weights @ curves[columns]
        return smoothed

    @property
    def squares(self) -> NDArray[np.float64]:
        """(E,): the sum of each row's squares, which is the variance of white noise of variance 1 after it."""
        squares = np.zeros(sum(len(weights) for *_, weights in self._blocks))
        for rows, _, weights in self._blocks:
            squares[rows] = (weights**2).sum(1)
        return squares

    @property
    def diagonal(self) -> NDArray[np.float64]:
        """(E,): what each epoch counts in its own."""
        diagonal = np.zeros(sum(len(weights) for *_, weights in self._blocks))
        for rows, columns, weights in self._blocks:
            diagonal[rows] = weights.diagonal(rows.start - columns.start)
        return diagonal


def _gaussian(rows: NDArray[np.int64], columns: NDArray[np.int64], sigma: float) -> NDArray[np.float64]:
    """The weights of some epochs in the smoothed points of others."""
    if not sigma:
        return np.asarray(rows[:, None] == columns[None, :], np.float64)
    weights = np.exp(-0.5 * np.square((rows[:, None] - columns[None, :]) / sigma))
    return np.asarray(weights / weights.sum(1, keepdims=True))


def smoothed(epochs: NDArray[np.int64], values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """A curve as verdicts see it.

    Args:
        epochs: (E,), ascending.
        values: (E,); what is not finite counts for nothing.
        sigma: in epochs; narrower over a short run.

    Returns:
        (E,), NaN where the values are not finite.
    """
    finite = np.isfinite(values)
    curve = np.full(len(values), np.nan)
    if finite.any():
        kept = epochs[finite]
        curve[finite] = SmoothingMatrix(kept, sigma_within(kept, sigma)) @ values[finite]
    return curve


@dataclass(frozen=True, eq=False)
class Smoothing:
    """The smoothing of all curves that were measured in the same epochs.

    Attributes:
        matrix: (E, E).
        near: (E, E), a smoothing that reaches the neighbours of each epoch, whatever sigma is.
        simulated: (E, `REPLICATES`), white noise of variance 1, smoothed.
    """

    matrix: SmoothingMatrix
    near: SmoothingMatrix
    simulated: NDArray[np.float64]

    @classmethod
    def over(cls, epochs: NDArray[np.int64], sigma: float) -> Smoothing:
        """The smoothing over (E,) ascending epochs, E > 0, with a sigma in epochs, narrower over a short run."""
        return _smoothing(tuple(epochs.tolist()), sigma_within(epochs, sigma))

    def noise(self, values: NDArray[np.float64]) -> float:
        """Standard deviation of the noise in a curve's (E,) points.

        It is estimated from the residuals of a smoothing, robustly: by the median of their sizes, so that a few sharp
        bends do not count as noise.
        """
        variance = 1 - 2 * self.near.diagonal + self.near.squares  # of the residual of white noise of variance 1
        telling = variance > 1e-6
        if not telling.any():
            return 0.0
        residual = np.abs(values - self.near @ values)
        return median(residual[telling] / np.sqrt(variance[telling])) / 0.6745

    def seeming_rise(
        self, curve: NDArray[np.float64], noise: float, share: float = 0.0, begin: int = 0
    ) -> tuple[float, float]:
        """How far a curve that falls and then stays level would end above its minimum, for noise alone.

        The minimum of many noisy points is below where the curve lies, the more the longer it stays level.

        Args:
            curve: (E,), smoothed. What it would be without a rise is its running minimum.
            noise: standard deviation of the noise before the smoothing.
            share: of the minimum that a rise must exceed; only what is beyond counts.
            begin: index from which the minimum is sought.

        Returns:
            Mean and standard deviation.
        """
        level = np.minimum.accumulate(curve[begin:])
        curves = level[:, None] + noise * self.simulated[begin:]
        rises = (curves[-1] - level[-1]) - (1 + share) * (curves.min(0) - level[-1])
        return float(rises.mean()), float(rises.std())

    def seeming_height(self) -> float:
        """How far the highest point of a level curve would lie above it for noise alone.

        Returns:
            In standard deviations of a smoothed point: 0 for one point, about 1.6 for 40 epochs, 2.6 for 300.
        """
        spreads = np.sqrt(self.matrix.squares)
        return float((self.simulated / spreads[:, None]).max(0).mean()) if len(spreads) > 1 else 0.0


@lru_cache(maxsize=4)
def _smoothing(epochs: tuple[int, ...], sigma: float) -> Smoothing:
    numbers = np.array(epochs, np.int64)
    matrix = SmoothingMatrix(numbers, sigma)
    reach = max(sigma, median(np.diff(numbers)) / 2) if len(numbers) > 1 else sigma
    noise = np.random.default_rng(0).standard_normal((len(numbers), REPLICATES))
    return Smoothing(matrix, SmoothingMatrix(numbers, reach), matrix @ noise)


def median(values: NDArray[Any]) -> float:
    """The median of some values; `numpy.median` would import numpy.ma, which takes longer than a verdict."""
    ascending, middle = np.sort(values), len(values) // 2
    return float(ascending[middle] + ascending[~middle]) / 2


def finite_or_none(value: float) -> float | None:
    """The value, or None where it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None


def above_zero(estimate: float, error: float) -> float:
    """Probability that something is above zero.

    Args:
        estimate: of it.
        error: standard deviation of the estimate; 0 where it is exact.
    """
    if error == 0:
        return float(estimate > 0)
    return 0.5 * (1 + math.erf(estimate / error / math.sqrt(2)))
