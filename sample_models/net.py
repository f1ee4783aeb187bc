"""The net of all runs: the paper's baseline (two conv-conv-pool blocks, two dense layers) with few channels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu


class SmallNet(nn.Module):
    """Images (N, 3, 32, 32) in [0, 1] -> logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 12, 3, padding=1)
        self.conv3 = nn.Conv2d(12, 24, 3, padding=1)
        self.conv4 = nn.Conv2d(24, 24, 3, padding=1)
        self.fc1 = nn.Linear(24 * 4 * 4, 32)
        self.fc2 = nn.Linear(32, 10)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")
            else:
                nn.init.zeros_(parameter)

    def forward(self, images: Tensor) -> Tensor:
        """The second pooling is 4x4, not the paper's 2x2: it makes fc1, and so each checkpoint, four times smaller."""
        x = relu(self.conv1(images))
        x = max_pool2d(relu(self.conv2(x)), 2)
        x = relu(self.conv3(x))
        x = max_pool2d(relu(self.conv4(x)), 4)
        x = relu(self.fc1(x.flatten(1)))
        logits: Tensor = self.fc2(x)
        return logits


def make_net() -> nn.Module:
    """The factory: `--model sample_models.net:make_net`."""
    return SmallNet()
