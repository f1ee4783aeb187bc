"""One process of a training on several, started by test_penalties.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from rfav_cli.training.penalties import TargetedRegularizer
from tests.training.nets import RECIPE, Net, batch

if TYPE_CHECKING:
    from pathlib import Path


def run(rank: int, world: int, folder: Path) -> None:
    """Train on a share of the batch, penalised before and after wrapping, and write the penalties and gradients."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=world)
    torch.save([train(rank, world, wrapped) for wrapped in (False, True)], folder / f"{rank}.pt")
    dist.destroy_process_group()


def train(rank: int, world: int, wrapped_first: bool) -> tuple[list[float], list[torch.Tensor | None]]:
    """The penalties of two steps, and the last gradients."""
    net = Net()
    regularizer = None if wrapped_first else TargetedRegularizer(net, RECIPE)
    model = DistributedDataParallel(net)
    regularizer = regularizer or TargetedRegularizer(model, {f"module.{name}": pair for name, pair in RECIPE.items()})
    images, labels = (tensor.chunk(world)[rank] for tensor in batch())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    penalties = []
    for _ in range(2):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images), labels)
        penalty = regularizer()
        (loss + penalty).backward()
        optimizer.step()
        penalties.append(penalty.item())
    return penalties, [parameter.grad for parameter in net.parameters()]
