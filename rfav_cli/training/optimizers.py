"""What moves the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from rfav_cli.errors import ModelError
from rfav_cli.training.learning_rate import rate_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import nn

    from rfav_cli.options import Hyperparameters


def make_optimizer(how: Hyperparameters, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Make an optimizer of the parameters that can be trained.

    Raises:
        ModelError: there are none.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if not trained:
        raise ModelError("the net has no parameters that can be trained", "Set requires_grad of those that should be.")
    if how.optimizer == "sgd":
        return torch.optim.SGD(trained, rate_of(how), momentum=how.momentum, weight_decay=how.weight_decay)
    kind = torch.optim.Adam if how.optimizer == "adam" else torch.optim.AdamW
    return kind(trained, rate_of(how), weight_decay=how.weight_decay)
