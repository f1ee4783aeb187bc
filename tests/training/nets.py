"""Nets that the tests of the training train, and one step by definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from tests import twins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfav_cli.training.penalties import TargetedRegularizer

RECIPE = {"conv1": (0.1, 1.0), "conv2": (0.01, 0.5), "fc1": (0.3, 0.0)}

BREAKS_THE_GRAPH = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
"""torch.compile itself warns so of whatever goes from one graph to the next."""


class Net(nn.Module):
    """A net with an in-place ReLU after each convolution, and one convolution that is used twice."""

    def __init__(self, checkpointed: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.fc1 = nn.Linear(8, 16)
        self.fc2 = nn.Linear(16, 5)
        self.checkpointed = checkpointed

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        x = checkpoint(self.block, x, use_reentrant=False) if self.checkpointed else self.block(x)
        return self.fc2(functional.relu(self.fc1(x.mean((2, 3)))))

    def block(self, x: Tensor) -> Tensor:
        return self.relu(self.conv2(self.relu(self.conv2(x))))


class Normed(nn.Module):
    """One convolution that goes into a normalisation, and one that does not before it was written over."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.conv1, self.norm1 = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)
        self.conv2, self.norm2 = nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        nn.init.uniform_(self.norm1.weight, 0.5, 2.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm2(self.relu(self.conv2(self.relu(self.norm1(self.conv1(x))))))


def batch(samples: int = 4) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(1)
    images = torch.randn(samples, 3, 6, 6, generator=random)
    return images, torch.randint(0, 5, (samples,), generator=random)


def steps(
    model: nn.Module, regularizer: TargetedRegularizer, count: int = 1, *, rate: float = 0.1
) -> tuple[list[float], dict[str, Tensor]]:
    """Losses of a few steps, and the last gradients by name."""
    images, labels = batch()
    optimizer = torch.optim.SGD(model.parameters(), rate)
    losses = []
    for _ in range(count):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images), labels) + regularizer()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    names = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return losses, {name.removeprefix("_orig_mod.").removeprefix("module."): grad for name, grad in names.items()}


def penalties(net: nn.Module, images: Tensor, recipe: Mapping[str, tuple[float, float]] = RECIPE) -> dict[str, float]:
    """Each penalty by definition."""
    uses, modules, found = twins.activations(net, images), dict(net.named_modules()), {}
    for name, (lambda_, kappa) in recipe.items():
        if lambda_:
            sums = [twins.entropy(use).sum() / len(images) for use in uses[name]]
            found[f"sparsity/{name}"] = -lambda_ * float(sum(sums))
        if kappa:
            correlations = twins.correlations(twins.filters(modules[name]))
            found[f"decorrelation/{name}"] = kappa * float((correlations**2).sum())
    return found
