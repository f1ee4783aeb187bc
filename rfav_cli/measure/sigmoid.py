"""Whether a net ends in a sigmoid: of one score a decision, its numbers alone do not say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from rfav_cli.chance import drawn_from
from rfav_cli.inputs import copied, device
from rfav_cli.records import Doubt

if TYPE_CHECKING:
    from torch import Tensor

    from rfav_cli.activations.network import Activation, Network
    from rfav_cli.inputs import Inputs

ROUNDING = 1e-5
"""By which numbers may differ that are the same, absolutely and relative to the largest."""

BY_RANGE_CERTAINTY = 0.2
"""That an output between 0 and 1 of a net whose last layer is not known is no probability."""


@dataclass(frozen=True)
class Ending:
    """What is known of how a net ends.

    Attributes:
        sigmoid: its output is that of a sigmoid.
        doubts: that this was told from the numbers alone.
        notes: what the user should be told.
    """

    sigmoid: bool = False
    doubts: tuple[Doubt, ...] = ()
    notes: tuple[str, ...] = ()


def look_for_sigmoid(network: Network, inputs: Inputs, output: Tensor, classifier: str) -> Ending:
    """Hold a net's output against what its classifier gives: the same, or the sigmoid of it.

    Args:
        network: in the state in which it gave the output, in a block of `drawn_from(0, device)`.
        inputs: (n, ...) on its device.
        output: (n, ...) of these.
        classifier: the layer whose output is the scores; empty where none is known.

    Returns:
        Where neither is so, what the range of the output says.
    """
    seen: list[Tensor] = []

    def keep(activation: Activation) -> bool:
        if activation.layer == classifier:
            seen.append(activation.values.detach().movedim(activation.channel_dim, 1).clone())
        return False

    if not bool(((output >= 0) & (output <= 1)).all()):
        return Ending()
    if classifier:
        with drawn_from(0, device(inputs)):
            network.forward(copied(inputs), keep)
    for values in seen:
        for ordered in (values, values.movedim(1, -1)):
            if _are_same(ordered, output):
                return Ending()
            if _are_same(ordered.sigmoid(), output):
                return Ending(sigmoid=True)
    words = "the net's output lies between 0 and 1: it is taken as probabilities, not as scores before a sigmoid"
    remedy = "If it is scores, give a loss of your own with --loss, or a net that ends in its sigmoid."
    return Ending(True, (Doubt("output", "", words, remedy, BY_RANGE_CERTAINTY),), (words,))


def _are_same(values: Tensor, output: Tensor) -> bool:
    if values.numel() != output.numel():
        return False
    wanted = output.double().flatten()
    return torch.allclose(values.double().flatten(), wanted, rtol=ROUNDING, atol=ROUNDING)
