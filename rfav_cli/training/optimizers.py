"""What moves the weights, and how fast: the learning rate follows from the epoch alone, so nothing of it is kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rfav_cli.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import torch
    from torch import nn

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


def make_optimizer(how: Hyperparameters, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Make an optimizer of the parameters that can be trained.

    Raises:
        ModelError: there are none.
    """
    import torch  # here, so that the names of the optimizers are known without it

    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if not trained:
        raise ModelError("the net has no parameters that can be trained", "Set requires_grad of those that should be.")
    if how.optimizer == "sgd":
        return torch.optim.SGD(trained, rate_of(how), momentum=how.momentum, weight_decay=how.weight_decay)
    kind = torch.optim.Adam if how.optimizer == "adam" else torch.optim.AdamW
    return kind(trained, rate_of(how), weight_decay=how.weight_decay)


def learning_rate_at(schedule: str, learning_rate: float, epoch: int, epochs: int) -> float:
    """The learning rate of an epoch.

    >>> [learning_rate_at("step", 1.0, epoch, 8) for epoch in (0, 3, 4, 6)]
    [1.0, 1.0, 0.1, 0.01]
    """
    return learning_rate * SCHEDULES[schedule](epoch / epochs)
