"""Nets that have between them every kind of layer; small, and told by name so that a run's store can name them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Images(nn.Module):
    """Grouped, dilated, strided and transposed convolutions, batch normalisation, work in place, a layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 12, 3, groups=4, bias=False)
        self.dilated = nn.Conv2d(12, 6, 3, dilation=2, padding=2)
        self.up = nn.ConvTranspose2d(6, 8, 2, stride=2, groups=2)
        self.twice = nn.Conv2d(8, 8, 3, padding=1)
        self.fc1 = nn.Linear(8 * 4, 16)
        self.fc2 = nn.Linear(16, 4)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.stem(x)))
        x = self.relu(self.grouped(x))
        x = self.relu(self.dilated(x))
        x = self.relu(self.up(x))
        x = self.relu(self.twice(x)) + self.twice(x)
        x = nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)
        return self.fc2(self.relu(self.fc1(x)))


class Sequences(nn.Module):
    """Convolutions along time, and tokens: linear layers that work at every position."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(3, 8, 3, padding=1)
        self.up = nn.ConvTranspose1d(8, 6, 3)
        self.token1 = nn.Linear(6, 10)
        self.token2 = nn.Linear(10, 5, bias=False)
        self.head = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.up(x)).transpose(1, 2)
        return self.head(torch.relu(self.token2(torch.relu(self.token1(x)))).mean(1))


class Vectors(nn.Module):
    """Dense layers only."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(6, 24)
        self.fc2 = nn.Linear(24, 12)
        self.fc3 = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc3(torch.tanh(self.fc2(torch.tanh(self.fc1(x)))))


SHAPES = {Images: (3, 9, 9), Sequences: (3, 11), Vectors: (6,)}
"""Of one sample."""


def make(net: type[nn.Module], seed: int, scale: float = 2.0) -> nn.Module:
    """A net with random weights, larger than usual so that entropies differ, and norms that do something."""
    torch.manual_seed(seed)
    made = net().eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(scale)
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
                module.weight.normal_()
                module.bias.normal_()
    return made
