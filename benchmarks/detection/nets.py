"""Nets of the later kinds of trainings, as factories for `--model benchmarks.detection.nets:NAME`.

All take images (N, 3, image_size, image_size) and return logits (N, classes).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
"""Name -> the nonlinearity of an MLP."""


def mlp(activation: str, classes: int = 10, image_size: int = 32) -> nn.Module:
    """Three hidden layers of 128, 64 and 64 neurons on the pixels.

    Args:
        activation: a key of `ACTIVATIONS`.
        classes: the number of logits.
        image_size: height and width in pixels.
    """
    widths = (3 * image_size**2, 128, 64, 64)
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], classes))


class Transformer(nn.Module):
    """Tokens of an image, two encoder layers that attend to each other, and a classifier on the mean token."""

    def __init__(self, tokens: int, features: int, classes: int, width: int = 32) -> None:
        super().__init__()
        self.embedding = nn.Linear(features, width)
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(2)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, tokens, features) -> (N, classes)."""
        x = self.embedding(tokens) + self.positions
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.head(self.norm(x).mean(1))
        return scores


class PatchTransformer(Transformer):
    """A small vision transformer: patches of 4 by 4 pixels are the tokens."""

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, side, side) -> (N, classes)."""
        patches = nn.functional.unfold(images, 4, stride=4).transpose(1, 2)
        return super().forward(patches)


class RowTransformer(Transformer):
    """The rows of an image, from top to bottom, as a sequence of tokens."""

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, side, side) -> (N, classes)."""
        return super().forward(images.permute(0, 2, 1, 3).flatten(2))


class RowConvolutions(nn.Module):
    """Convolutions over the sequence of an image's rows."""

    def __init__(self, image_size: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(3 * image_size, 64, 3, padding=1)
        self.conv2 = nn.Conv1d(64, 64, 3, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, padding=1)
        self.relu = nn.ReLU()
        self.head = nn.Linear(64, classes)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, side, side) -> (N, classes)."""
        x = images.transpose(2, 3).flatten(1, 2)
        for layer in (self.conv1, self.conv2, self.conv3):
            x = self.relu(layer(x))
        scores: Tensor = self.head(x.mean(2))
        return scores


def vit(classes: int = 10, image_size: int = 32) -> nn.Module:
    """A small vision transformer."""
    return PatchTransformer((image_size // 4) ** 2, 48, classes)


def row_transformer(classes: int = 10, image_size: int = 32) -> nn.Module:
    """A transformer on the rows of an image."""
    return RowTransformer(image_size, 3 * image_size, classes)


def row_convolutions(classes: int = 10, image_size: int = 32) -> nn.Module:
    """One-dimensional convolutions on the rows of an image."""
    return RowConvolutions(image_size, classes)


def mlp_gelu(classes: int = 10, image_size: int = 32) -> nn.Module:
    """`mlp` with GELU."""
    return mlp("gelu", classes, image_size)


def mlp_tanh(classes: int = 10, image_size: int = 32) -> nn.Module:
    """`mlp` with tanh."""
    return mlp("tanh", classes, image_size)


def mlp_sigmoid(classes: int = 10, image_size: int = 32) -> nn.Module:
    """`mlp` with the logistic function."""
    return mlp("sigmoid", classes, image_size)
