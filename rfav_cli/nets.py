"""The nets of the paper's section 4: its baseline in three kinds and three sizes, LeNet and AlexNet.

Each net is an `nn.Sequential` of named layers (`conv1`, ..., `fc1`, ...), takes images (N, channels, image_size,
image_size) and returns logits (N, classes).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Protocol

from torch import nn

from rfav_cli.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANNELS = {
    "s": (16, 16, 32, 32, 64),
    "m": (64, 64, 128, 128, 256),
    "xxl": (256, 256, 512, 512, 1024),
}
"""Table 1: the numbers of filters of conv1 to conv4 and of neurons of fc1, by size."""

DROPOUT = 0.25
"""The paper's dropout probability."""


class Builder(Protocol):
    """Makes a net with fresh weights."""

    def __call__(self, *, classes: int = 10, image_size: int = 32, channels: int = 3) -> nn.Sequential:
        """Make it; raises ModelError where the net does not exist for images of this size."""


def vanilla_net(size: str, classes: int = 10, image_size: int = 32, channels: int = 3) -> nn.Sequential:
    """The baseline (Figure 2): two blocks of two 3x3 convolutions and a 2x2 pooling, then two dense layers, with ReLU.

    Args:
        size: a key of `CHANNELS`.
        classes: the number of logits.
        image_size: height and width in pixels, a multiple of 4.
        channels: of the images.

    Raises:
        ModelError: there is no such size, or the images do not pool evenly.
    """
    return _paper_net(size, classes, image_size, channels)


def norm_net(size: str, classes: int = 10, image_size: int = 32, channels: int = 3) -> nn.Sequential:
    """The baseline with batch normalisation (`bn1` to `bn4`) between each convolution and its ReLU.

    The paper says only that each block is extended by batch normalisation; this is its usual place (Ioffe and Szegedy,
    2015). Arguments and errors as for `vanilla_net`.
    """
    return _paper_net(size, classes, image_size, channels, norm=True)


def drop_net(size: str, classes: int = 10, image_size: int = 32, channels: int = 3) -> nn.Sequential:
    """The baseline with dropout (p = 0.25) at the end of each convolutional block.

    Arguments and errors as for `vanilla_net`.
    """
    return _paper_net(size, classes, image_size, channels, dropout=True)


def lenet(classes: int = 10, image_size: int = 32, channels: int = 3) -> nn.Sequential:
    """LeNet-5 (LeCun et al., 1998) as it is trained today: with ReLU and max pooling.

    Args:
        classes: the number of logits.
        image_size: height and width in pixels, a multiple of 4 from 16 up; the first dense layer adapts to it.
        channels: of the images.

    Raises:
        ModelError: the net does not exist for images of this size.
    """
    _check_image_size("LeNet", image_size, step=4, least=16)
    side = ((image_size - 4) // 2 - 4) // 2
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (inputs, outputs) in enumerate([(channels, 6), (6, 16)], start=1):
        layers[f"conv{number}"] = nn.Conv2d(inputs, outputs, 5)
        layers[f"relu{number}"] = nn.ReLU()
        layers[f"pool{number}"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["fc1"] = nn.Linear(16 * side**2, 120)
    layers["relu3"] = nn.ReLU()
    layers["fc2"] = nn.Linear(120, 84)
    layers["relu4"] = nn.ReLU()
    layers["fc3"] = nn.Linear(84, classes)
    return nn.Sequential(layers)


def alexnet(classes: int = 10, image_size: int = 32, channels: int = 3) -> nn.Sequential:
    """AlexNet (Krizhevsky, 2014: the one-column form) with the stride of its first layer scaled to small images.

    Args:
        classes: the number of logits.
        image_size: height and width in pixels, a multiple of 32; the stride is a 32nd of it, so that the layers after
            the first see the same shapes whatever the images (the original's stride is 4 at 224 pixels).
        channels: of the images.

    Raises:
        ModelError: the net does not exist for images of this size.
    """
    _check_image_size("AlexNet", image_size, step=32, least=32)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    convolutions = [
        nn.Conv2d(channels, 64, 11, stride=image_size // 32, padding=5),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.Conv2d(256, 256, 3, padding=1),
    ]
    for number, convolution in enumerate(convolutions, start=1):
        layers[f"conv{number}"] = convolution
        layers[f"relu{number}"] = nn.ReLU()
        if number in (1, 2, 5):
            layers[f"pool{number}"] = nn.MaxPool2d(3, stride=2)
    layers["flatten"] = nn.Flatten()
    for number, inputs in enumerate([256 * 3 * 3, 4096], start=1):
        layers[f"drop{number}"] = nn.Dropout(0.5)
        layers[f"fc{number}"] = nn.Linear(inputs, 4096)
        layers[f"relu{number + 5}"] = nn.ReLU()
    layers["fc3"] = nn.Linear(4096, classes)
    return nn.Sequential(layers)


ZOO: Mapping[str, Builder] = {
    **{f"vanillanet-{size}": partial(vanilla_net, size) for size in CHANNELS},
    **{f"normnet-{size}": partial(norm_net, size) for size in CHANNELS},
    **{f"dropnet-{size}": partial(drop_net, size) for size in CHANNELS},
    "lenet": lenet,
    "alexnet": alexnet,
}
"""The nets by name, for `--model zoo:NAME`."""


def _paper_net(
    size: str, classes: int, image_size: int, channels: int, *, norm: bool = False, dropout: bool = False
) -> nn.Sequential:
    if size not in CHANNELS:
        raise ModelError(f"no net of size {size!r:.200}", f"The sizes are {', '.join(CHANNELS)}.")
    _check_image_size("The paper's nets", image_size, step=4, least=4)
    *filters, neurons = CHANNELS[size]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = channels
    for number, outputs in enumerate(filters, start=1):
        layers[f"conv{number}"] = nn.Conv2d(inputs, outputs, 3, padding=1)
        if norm:
            layers[f"bn{number}"] = nn.BatchNorm2d(outputs)
        layers[f"relu{number}"] = nn.ReLU()
        inputs = outputs
        if number % 2 == 0:
            layers[f"pool{number // 2}"] = nn.MaxPool2d(2)
            if dropout:
                layers[f"drop{number // 2}"] = nn.Dropout(DROPOUT)
    layers["flatten"] = nn.Flatten()
    layers["fc1"] = nn.Linear(inputs * (image_size // 4) ** 2, neurons)
    layers["relu5"] = nn.ReLU()
    layers["fc2"] = nn.Linear(neurons, classes)
    return nn.Sequential(layers)


def _check_image_size(name: str, image_size: int, *, step: int, least: int) -> None:
    if image_size < least or image_size % step:
        raise ModelError(
            f"image_size={image_size}: {name} takes images of a multiple of {step} pixels, {least} or more",
            f"Resize the images, or give --model-arg image_size={max(least, round(image_size / step) * step)}.",
        )
