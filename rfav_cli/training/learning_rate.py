"""How fast the weights move: the rate follows from the epoch alone, so nothing of it is kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rfav_cli.options import Hyperparameters

RATES = {"sgd": 0.01, "adam": 0.001, "adamw": 0.001}
"""Name of an optimizer -> its learning rate where none is given; the first is the paper's, as is its rate."""


def _constant(_: float) -> float:
    return 1.0


def _cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done))


def _step(done: float) -> float:
    return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01


SCHEDULES: Mapping[str, Callable[[float], float]] = {"constant": _constant, "cosine": _cosine, "step": _step}
"""Name -> the factor of the learning rate by the share of the epochs that is done: half a cosine, or a tenth after half
of them and a hundredth after three quarters."""


def rate_of(how: Hyperparameters) -> float:
    """The learning rate at the start: that of the optimizer where none is given."""
    return RATES[how.optimizer] if how.learning_rate is None else how.learning_rate


def learning_rate_at(schedule: str, learning_rate: float, epoch: int, epochs: int) -> float:
    """The learning rate of an epoch.

    >>> [learning_rate_at("step", 1.0, epoch, 8) for epoch in (0, 3, 4, 6)]
    [1.0, 1.0, 0.1, 0.01]
    """
    return learning_rate * SCHEDULES[schedule](epoch / epochs)
