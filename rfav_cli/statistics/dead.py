"""Dead filters: those that give zero after the nonlinearity that follows, whatever the net is shown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import Context, Statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.records import Nonlinearity

WIDTH = 1024
"""Numbers that are compared at a time, at least: channels are few, a processor's registers are wide."""


class Dead(Statistic):
    """The share of a layer's filters whose activation is zero after the nonlinearity, on every sample and position.

    It is told from the activation before the nonlinearity and from where that is zero, as the function is defined: up
    to 0 for ReLU and ReLU6, up to -3 for Hardswish, at 0 alone for GELU, SiLU, tanh and leaky ReLU, whose filters die
    only as constants, nowhere for a sigmoid, whose never do. NaN is not zero. A layer has no such share, NaN, where its
    nonlinearity is not known, its uses have different ones, or nothing of it is finite. A filter that is used twice is
    dead if it is in both.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._alive: dict[int, Tensor] = {}
        self._live: set[int] = set()
        self._finite: set[int] = set()

    def update_activation(self, layer: int, rows: slice, activation: Tensor) -> None:
        """See which filters of (n, D, *positions) give something; nothing is read once all of a layer have."""
        nonlinearity = self.context.nonlinearity(layer)
        if nonlinearity is None or not activation.numel():
            return
        if layer not in self._finite and has_finite(activation):
            self._finite.add(layer)
        if layer in self._live:
            return
        if (padding := self.context.padding_of(layer, rows)) is not None:
            activation = activation.movedim(1, -1)[~padding]
        alive = alive_filters(activation, nonlinearity)
        if layer in self._alive:
            alive |= self._alive[layer]
        self._alive[layer] = alive
        if bool(alive.all()):
            self._live.add(layer)

    def compute(self) -> dict[str, NDArray[Any]]:
        """`activation/dead` (L,), between 0 and 1."""
        dead = np.full(len(self.context.layers), np.nan)
        for layer in self._alive.keys() & self._finite:
            dead[layer] = int((~self._alive[layer]).sum()) / len(self._alive[layer])
        return {"activation/dead": dead}


def has_finite(activation: Tensor) -> bool:
    """Whether a number of (n, ...), not empty, is finite; a look at the first sample nearly always says so."""
    return bool(activation[:1].isfinite().any()) or bool(activation.isfinite().any())


def alive_filters(activation: Tensor, nonlinearity: Nonlinearity) -> Tensor:
    """Which filters a nonlinearity makes something other than zero of, anywhere.

    Args:
        activation: (n, D, *positions), not empty.
        nonlinearity: what is applied to it.

    Returns:
        (D,) bool.
    """
    if not nonlinearity.zeros:
        return torch.ones(activation.shape[1], dtype=torch.bool, device=activation.device)
    if len(nonlinearity.zeros) > 1:
        zero = torch.stack([(activation >= low) & (activation <= high) for low, high in nonlinearity.zeros]).any(0)
        return ~zero.transpose(0, 1).flatten(1).all(1)
    ((low, high),) = nonlinearity.zeros
    alive = torch.zeros(activation.shape[1], dtype=torch.bool, device=activation.device)
    if high < math.inf:
        alive |= ~(highest(activation) <= high)  # not `>`: NaN is neither, and no zero
    if low > -math.inf:
        alive |= ~(-highest(-activation) >= low)
    return alive


def highest(activation: Tensor) -> Tensor:
    """The largest number of each filter of (n, D, *positions), NaN where there is one; (D,)."""
    rows = activation.movedim(1, -1)
    if not rows.is_contiguous():
        return activation.flatten(2).amax((0, 2))
    rows = rows.flatten(0, -2)
    channels = rows.shape[1]
    beside = min(max(1, WIDTH // channels), len(rows))
    whole = len(rows) // beside * beside
    most = rows[:whole].reshape(-1, beside * channels).amax(0).view(beside, channels).amax(0)
    return most if whole == len(rows) else torch.maximum(most, rows[whole:].amax(0))
