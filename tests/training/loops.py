"""A small net with all that has a state, and loops that train it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rfav_cli.activations.network import OpenOptions
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.data.sources import SampleOptions
from rfav_cli.options import Hyperparameters
from rfav_cli.training.batches import Batches
from rfav_cli.training.data import load_data
from rfav_cli.training.loop import Loop
from rfav_cli.training.optimizers import make_optimizer
from rfav_cli.training.penalties import TargetedRegularizer
from rfav_cli.training.position import Position
from rfav_cli.training.setup import open_net

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


CPU = torch.device("cpu")


HOW = Hyperparameters(learning_rate=0.05, momentum=0.9, weight_decay=1e-3, schedule="step", epochs=4, batch_size=8)


class Net(nn.Module):
    """With all that has a state or makes use of chance."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.drop = nn.Dropout(0.3)
        self.fc1 = nn.Linear(8, 10)
        self.fc2 = nn.Linear(10, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.conv1(images)))
        x = torch.relu(self.conv2(x)).mean((2, 3))
        scores: torch.Tensor = self.fc2(torch.relu(self.fc1(self.drop(x))))
        return scores


def make_loop(
    data: Path,
    how: Hyperparameters = HOW,
    recipe: dict[str, tuple[float, float]] | None = None,
    make: Callable[[], nn.Module] = Net,
    output: str = "",
) -> Loop:
    training, held_out = load_data(
        str(data), "0.2", SampleOptions(), seed=0, workers=0, skip_unreadable=False, report=lambda _: None
    )
    options = OpenOptions(device=CPU, make_model=make)
    net, _ = open_net(options, None, ReadOptions(), training, held_out, output=output, seed=how.seed)
    assert held_out is not None
    return Loop(
        net=net,
        optimizer=make_optimizer(how, net.model.parameters()),
        training=Batches(training, how.batch_size, how.seed),
        validation=Batches(held_out, how.batch_size),
        regularizer=None if recipe is None else TargetedRegularizer(net.model, recipe),
        options=how,
        device=CPU,
    )


def trained(loop: Loop, position: Position | None = None) -> tuple[dict[str, Any], list[Any]]:
    """The weights after a training, and its events."""
    events = list(loop.events(position or Position()))
    return {name: value.clone() for name, value in loop.net.model.state_dict().items()}, events
