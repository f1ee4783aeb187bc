"""The net of a user whose framework makes none: it lies in the folder that they work in."""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    """A convolution, a normalisation and two dense layers for (N, 3, 8, 8)."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.norm = nn.BatchNorm2d(width)
        self.hidden = nn.Linear(width * 9, 12)
        self.head = nn.Linear(12, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        first = torch.max_pool2d(torch.relu(self.norm(self.conv(images))), 2)
        scores: torch.Tensor = self.head(torch.relu(self.hidden(first.flatten(1))))
        return scores
