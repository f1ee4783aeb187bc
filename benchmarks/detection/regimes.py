"""What the kinds of trainings do otherwise than the plain one: rates, labels, images, starts and averages."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detection import nets
from benchmarks.detection.configurations import RESTART
from rfav_cli.nets import ZOO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.detection.configurations import Configuration

DEAD = -100.0
"""A bias that no activation of these nets makes up for."""


def model_spec(configuration: Configuration) -> tuple[str, list[str]]:
    """The net as `rfav analyze` takes it: `--model` and each `--model-arg`."""
    net = configuration.net
    name = f"zoo:{net}" if net in ZOO else f"benchmarks.detection.nets:{net}"
    return name, [f"classes={configuration.classes}", f"image_size={configuration.size}"]


def make_net(configuration: Configuration) -> nn.Module:
    """The net with fresh weights."""
    net = configuration.net
    factory = ZOO[net] if net in ZOO else getattr(nets, net)
    made: nn.Module = factory(classes=configuration.classes, image_size=configuration.size)
    return made.to(memory_format=torch.channels_last)


def rate_factor(configuration: Configuration, epoch: int, step: int) -> float:
    """What the learning rate is multiplied by for a step of an epoch, both from 0 on."""
    epochs, schedule = configuration.epochs, configuration.schedule
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    if schedule == "restarts":
        return 0.5 * (1 + math.cos(math.pi * (epoch % RESTART) / RESTART))
    if schedule == "step":
        return 0.1 ** (3 * epoch // epochs)
    return configuration.shock if (epoch, step) == (epochs // 2, 0) else 1.0


def kill(net: nn.Module) -> None:
    """Set every bias but the last so low that no ReLU opens."""
    layers = [each for each in net.modules() if isinstance(each, (nn.Conv2d, nn.Linear))]
    for layer in layers[:-1]:
        nn.init.constant_(layer.get_parameter("bias"), DEAD)


def renew_classifier(net: nn.Module) -> None:
    """Draw the weights of the last layer anew, as is done before a net is trained on other classes."""
    layers = [each for each in net.modules() if isinstance(each, nn.Linear)]
    layers[-1].reset_parameters()


def imbalanced(labels: NDArray[np.int64], classes: int, imbalance: float, count: int) -> NDArray[np.int64]:
    """The first rows that hold `count` images (or almost) whose classes shrink evenly from the first to the last.

    Args:
        labels: (N,) of all images that can be taken.
        classes: how many there are.
        imbalance: how many times more images the first has than the last; 1 takes the first rows as they are.
        count: how many rows, but for what is lost by rounding.
    """
    if imbalance == 1:
        return np.arange(count)
    shares = imbalance ** (-np.arange(classes) / (classes - 1))
    counts = (count * shares / shares.sum()).astype(int)
    rows = [np.flatnonzero(labels == label)[:wanted] for label, wanted in enumerate(counts)]
    return np.sort(np.concatenate(rows))


def mixed_loss(net: nn.Module, images: Tensor, labels: Tensor, alpha: float, rng: np.random.Generator) -> Tensor:
    """The loss of images that are mixed in pairs, on both labels by the share of each (Zhang et al., 2018)."""
    share = float(rng.beta(alpha, alpha))
    order = torch.from_numpy(rng.permutation(len(labels)))
    scores = net(share * images + (1 - share) * images[order])
    first, second = functional.cross_entropy(scores, labels), functional.cross_entropy(scores, labels[order])
    return share * first + (1 - share) * second


class Average:
    """A moving average of a net's weights and statistics; without a decay it is the net itself.

    Attributes:
        net: the net with the averaged weights.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self._source, self._decay = net, decay
        self.net = copy.deepcopy(net) if decay else net

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the net's weights, after a step."""
        if not self._decay:
            return
        for kept, now in zip(self.net.state_dict().values(), self._source.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(now, 1 - self._decay)
            else:
                kept.copy_(now)
