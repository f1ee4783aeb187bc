"""A step's forward as one module, so that it can be wrapped as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rfav_cli.errors import ModelError
from rfav_cli.statistics.base import are_class_scores

if TYPE_CHECKING:
    from rfav_cli.training.penalties import TargetedRegularizer
    from rfav_cli.training.setup import TrainedNet


class Forward(nn.Module):
    """From a batch to what is made small. The penalties are part of it: whoever looks for unused weights must see them.

    Args:
        net: what is trained.
        regularizer: its penalties, or None.
        device: the type of its device.
        amp: run it in bfloat16 where that is safe.
    """

    def __init__(self, net: TrainedNet, regularizer: TargetedRegularizer | None, device: str, amp: bool) -> None:
        super().__init__()
        self.model = net.model
        self._net, self._regularizer = net, regularizer
        self._device, self._amp = device, amp

    def forward(self, samples: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The (n, classes) scores, the mean loss of the batch, and that loss with the penalties.

        Raises:
            ModelError: in training the net gives no class scores, or none that a gradient goes through.
        """
        with autocast(self._device, self._amp):
            scores = self._net.scores(samples)
        if not are_class_scores(scores, len(samples)):
            raise ModelError(
                f"in training the net's output, {tuple(scores.shape)}, is no row of class scores",
                "Choose the output that is one in training, too, with --output.",
            )
        loss = self._net.loss(scores, labels)
        if not loss.requires_grad:
            raise ModelError(
                "no gradient of the loss reaches a weight of the net",
                "Take no_grad() and detach() out of its forward, and train some weights that its scores depend on.",
            )
        return scores, loss, loss if self._regularizer is None else loss + self._regularizer()


def autocast(device: str, amp: bool) -> torch.autocast:
    """Forwards in bfloat16 where torch holds that to be safe, if it is wanted."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=amp)
