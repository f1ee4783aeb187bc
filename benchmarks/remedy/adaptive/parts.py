"""The controls: Eq. 5 with the gradient of one part of an activation alone, its scale or its shape.

An activation a is s u, with s its root mean square over samples, filters and positions. `scale` takes the entropy of
s u where u is a constant: the penalty can only shrink a. `shape` takes that of u: shrinking a changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rfav_cli.equations import entropy
from rfav_cli.training.control import Control

if TYPE_CHECKING:
    from collections.abc import Mapping


def part_of(activation: Tensor, part: str) -> Tensor:
    """(N, D, ...) of which a gradient reaches one part: "scale" or "shape"; "shape" is at unit scale."""
    scale = activation.square().mean().clamp_min(1e-12).sqrt()
    return scale * (activation / scale).detach() if part == "scale" else activation / scale


class PartRegularizer:
    """As `TargetedRegularizer`, for one part of the activations of an eager net.

    Args:
        net: has the layers.
        lambdas: name of a layer -> what its entropy weighs, a position.
        part: "scale" or "shape".
    """

    adaptive = True

    def __init__(self, net: nn.Module, lambdas: Mapping[str, float], part: str) -> None:
        self._part, self._control, self._penalties = part, Control(), list[Tensor]()
        modules = dict(net.named_modules())
        for name, weight in lambdas.items():
            modules[name].register_forward_hook(self._hook(weight))

    @property
    def factor(self) -> float:
        """See `TargetedRegularizer`."""
        return self._control.factor

    def follow(self, confidence: float, accuracy: float) -> float:
        """See `TargetedRegularizer`."""
        return self._control.follow(confidence, accuracy)

    def __call__(self) -> Tensor:
        """The penalties of the last forward."""
        total = torch.stack(self._penalties).sum() * self.factor
        self._penalties.clear()
        return total

    def _hook(self, weight: float) -> Any:
        def add(module: Any, _: Any, output: Tensor) -> None:
            if module.training and torch.is_grad_enabled():
                bias = module.bias.view(-1, *[1] * (output.dim() - 2))
                taken = entropy(part_of(output - bias, self._part), 1)
                self._penalties.append(-weight * taken.sum() / len(output))

        return add
