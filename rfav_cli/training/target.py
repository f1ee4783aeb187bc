"""A layer with a penalty, and its weight as the forward had it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfav_cli.activations.hooks import Hook
from rfav_cli.activations.layer_kinds import grouped_filters

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Target(Hook):
    """A layer with a penalty: `name` is what the recipe calls it.

    Attributes:
        lambda_: weight of the sparsity penalty, 0 for none.
        kappa: weight of the decorrelation penalty, 0 for none.
        scores: the sparsity penalty is of the layer's output as it is, the scores of a classifier with their bias.
    """

    lambda_: float
    kappa: float
    scores: bool = False

    def weights(self) -> Tensor:
        """The filters as they are in the net, for gradients to flow through: (groups, D / groups, weights of one)."""
        return self.filters_in(weight_of(self.module))

    def filters_in(self, weight: Tensor) -> Tensor:
        """The same of a weight that was used in place of the layer's own; of one that is sharded over ranks, whole."""
        whole: Any = getattr(weight, "full_tensor", None)
        return grouped_filters(self.kind, weight if whole is None else whole(), getattr(self.module, "groups", 1))

    def held_weights(self) -> list[Tensor]:
        """What an optimizer changes of the layer, without a look at what is computed of it."""
        owner: Any = self.owner
        return list(owner.parameters()) if hasattr(owner, "parameters") else [owner.weight]


def weight_of(module: Any) -> Any:
    """A layer's weight as the last forward had it.

    In training each look at a parametrised weight computes it anew: `spectral_norm` goes a step on, others draw lots.
    """
    parts = getattr(module, "parametrizations", None)
    training = [part for part in (parts.modules() if parts is not None else ()) if part.training]
    try:
        for part in training:
            part.training = False
        return module.weight
    finally:
        for part in training:
            part.training = True
