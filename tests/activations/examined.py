"""Nets whose figures depend on chance, on the batch or on memory, and all forms in which a net can come."""

from __future__ import annotations

import random
import warnings
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import eager, open_network
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.activations.network import Network

FORMS = ("eager", "traced", "scripted", "exported")


class Base(nn.Module):
    """Two convolutions and two linear layers; others say what is between them."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(channels, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(8 * 64, 16), nn.Linear(16, 10)

    def start(self, x: Tensor) -> Tensor:
        return x

    def middle(self, x: Tensor) -> Tensor:
        return x

    def flat(self, x: Tensor) -> Tensor:
        return x.flatten(1)

    def end(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv2(self.middle(torch.relu(self.conv1(self.start(x))))))
        return self.end(self.fc2(torch.relu(self.fc1(self.flat(x)))))


# Chance


class Seldom(Base):
    """A layer's output is dropped in one forward of ten."""

    def middle(self, x: Tensor) -> Tensor:
        return x * (random.random() > 0.1)


class DrawsInVain(Base):
    """Draws whether to drop a layer, and does so in training alone."""

    def middle(self, x: Tensor) -> Tensor:
        drop = random.random() < 0.1
        return x * 0 if self.training and drop else x


class Dropout(Base):
    def flat(self, x: Tensor) -> Tensor:
        return functional.dropout(x.flatten(1))


class Dropout2d(Base):
    def middle(self, x: Tensor) -> Tensor:
        return functional.dropout2d(x, 0.3)


class Noise(Base):
    def start(self, x: Tensor) -> Tensor:
        return x + 0.01 * torch.rand_like(x)


class DropPath(Base):
    def middle(self, x: Tensor) -> Tensor:
        return x * torch.bernoulli(torch.full((x.shape[0], 1, 1, 1), 0.5))


class DropScores(Base):
    def end(self, x: Tensor) -> Tensor:
        return functional.dropout(x)


# The batch


class BatchStatistics(Base):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(8, track_running_stats=False)

    def middle(self, x: Tensor) -> Tensor:
        return self.norm(x)


class TrainingNorm(Base):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))
        self.register_buffer("var", torch.ones(8))

    def middle(self, x: Tensor) -> Tensor:
        return functional.batch_norm(x, self.mean, self.var, training=True)


class Centred(Base):
    def flat(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return x - x.mean(0)


class AcrossTheBatch(Base):
    """Attention with the wrong axis first."""

    def flat(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return x + torch.softmax(x @ x.T / 20, -1) @ x


class ByNumber(Base):
    def flat(self, x: Tensor) -> Tensor:
        return x.flatten(1) / x.shape[0]


class ByPlace(Base):
    """What is added depends on a sample's place in the batch alone."""

    def flat(self, x: Tensor) -> Tensor:
        return x.flatten(1) + torch.arange(x.shape[0])[:, None]


class InPieces(Base):
    """Normalises four samples at a time, as ghost batch normalisation does."""

    pieces = 4

    def flat(self, x: Tensor) -> Tensor:
        return torch.cat([piece - piece.mean(0) for piece in x.flatten(1).split(self.pieces)])


class InPairs(InPieces):
    pieces = 2


class ScoresByBatch(Base):
    def end(self, x: Tensor) -> Tensor:
        return x.softmax(0)


# Neither


class InstanceNorm(Base):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(8)

    def middle(self, x: Tensor) -> Tensor:
        return self.norm(x)


class Regularised(Base):
    """Dropout and batch normalisation as they should be."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop = nn.BatchNorm2d(8), nn.Dropout()

    def middle(self, x: Tensor) -> Tensor:
        return self.norm(x)

    def flat(self, x: Tensor) -> Tensor:
        return self.drop(x.flatten(1))


class Stepped(Base):
    """Rounds to a coarse grid, so that the least difference becomes a large one here and there."""

    def middle(self, x: Tensor) -> Tensor:
        return torch.round(x * 16) / 16


# Memory


class View(Base):
    def flat(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), -1)


class Permuted(Base):
    def flat(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)


class Strided(Base):
    """Reads the memory in its order."""

    def flat(self, x: Tensor) -> Tensor:
        return torch.as_strided(x, (x.shape[0], 512), (512, 1))


class Asserting(Base):
    def middle(self, x: Tensor) -> Tensor:
        assert x.is_contiguous()
        return x


class ReadsStrides(Base):
    """Scales by a stride."""

    def middle(self, x: Tensor) -> Tensor:
        return x * float(x.stride(3))


class InPlace(Base):
    def start(self, x: Tensor) -> Tensor:
        return x.mul_(2).sub_(1)


def open_form(net: nn.Module, form: str, example: Tensor, folder: Path) -> Network:
    """A net in evaluation mode in one of the `FORMS`, opened."""
    options = OpenOptions(torch.device("cpu"))
    if form == "eager":
        return eager.open_fresh(lambda: net, options)
    net = net.eval()
    save: dict[str, Callable[[Path], None]] = {
        "traced": lambda path: torch.jit.save(torch.jit.trace(net, example.clone(), check_trace=False), path),
        "scripted": lambda path: torch.jit.save(torch.jit.script(net), path),
        "exported": lambda path: torch.export.save(
            torch.export.export(
                net, (example.clone(),), dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=99)},)
            ),
            path,
        ),
    }
    path = folder / ("net.pt2" if form == "exported" else "net.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save[form](path)
    return open_network(formats.read(path, ReadOptions()), options)
