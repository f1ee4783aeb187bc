"""Nets that are small enough for many trainings, with what the usual remedies add to them."""

from __future__ import annotations

from torch import nn

from rfav_cli.nets import DROPOUT, lenet

SIZE = 16
"""Pixels of the images."""
THIN = (8, 8, 16, 16, 32)
"""Half the filters of vanillaNet-s."""
MLP = (128, 64)


def make(net: str, classes: int, *, norm: bool = False, dropout: bool = False) -> nn.Sequential:
    """A net for images of `SIZE` pixels.

    Args:
        net: "lenet" (the zoo's), "thin" (vanillaNet with half the filters of its smallest) or "mlp" (two hidden
            layers); "norm-" and "drop-" before it are as the arguments.
        classes: the number of scores.
        norm: a batch normalisation between each hidden layer and its ReLU; in "lenet" and "thin" of convolutions alone.
        dropout: p = 0.25 after each pooling; in "mlp" after each ReLU.
    """
    norm, dropout = norm or net.startswith("norm-"), dropout or net.startswith("drop-")
    kind = net.split("-")[-1]
    made = nn.Sequential()
    for name, layer in {"lenet": _lenet, "thin": _thin, "mlp": _mlp}[kind](classes).named_children():
        made.add_module(name, layer)
        if norm and isinstance(layer, nn.Conv2d):
            made.add_module(f"bn_{name}", nn.BatchNorm2d(layer.out_channels))
        if norm and kind == "mlp" and isinstance(layer, nn.Linear) and layer.out_features in MLP:
            made.add_module(f"bn_{name}", nn.BatchNorm1d(layer.out_features))
        if dropout and isinstance(layer, nn.ReLU if kind == "mlp" else nn.MaxPool2d):
            made.add_module(f"drop_{name}", nn.Dropout(DROPOUT))
    return made


def _lenet(classes: int) -> nn.Sequential:
    return lenet(classes, SIZE)


def _thin(classes: int) -> nn.Sequential:
    *filters, neurons = THIN
    net, inputs = nn.Sequential(), 3
    for number, outputs in enumerate(filters, start=1):
        net.add_module(f"conv{number}", nn.Conv2d(inputs, outputs, 3, padding=1))
        net.add_module(f"relu{number}", nn.ReLU())
        if number % 2 == 0:
            net.add_module(f"pool{number // 2}", nn.MaxPool2d(2))
        inputs = outputs
    net.add_module("flatten", nn.Flatten())
    net.add_module("fc1", nn.Linear(inputs * (SIZE // 4) ** 2, neurons))
    net.add_module("relu5", nn.ReLU())
    net.add_module("fc2", nn.Linear(neurons, classes))
    return net


def _mlp(classes: int) -> nn.Sequential:
    net, inputs = nn.Sequential(), 3 * SIZE**2
    net.add_module("flatten", nn.Flatten())
    for number, outputs in enumerate(MLP, start=1):
        net.add_module(f"fc{number}", nn.Linear(inputs, outputs))
        net.add_module(f"relu{number}", nn.ReLU())
        inputs = outputs
    net.add_module("fc3", nn.Linear(inputs, classes))
    return net
