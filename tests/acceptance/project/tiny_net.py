"""The net of the acceptance tests' user, as it lies in the folder that they work in."""

from __future__ import annotations

import torch
from torch import nn


class TinyNet(nn.Module):
    """Two convolutions and two dense layers for (N, 3, 8, 8)."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.fc1 = nn.Linear(8 * 3 * 3, 10)
        self.fc2 = nn.Linear(10, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        first = torch.relu(self.conv1(images))
        second = torch.max_pool2d(torch.relu(self.conv2(first)), 2)
        hidden = torch.relu(self.fc1(second.flatten(1)))
        scores: torch.Tensor = self.fc2(hidden)
        return scores


class TwoHeads(TinyNet):
    """The same weights, but a dictionary as the answer, its scores not first."""

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:  # type: ignore[override]  # what is tested
        scores = super().forward(images)
        return {"nothing": torch.zeros_like(scores), "scores": scores}


def make_net(classes: int = 4) -> nn.Module:
    return TinyNet(classes)


def make_two_heads() -> nn.Module:
    return TwoHeads()
