"""The nets of the runs with what the usual remedies add to them."""

from __future__ import annotations

from torch import nn

from rfav_cli.nets import DROPOUT, ZOO


def make(
    net: str = "lenet", classes: int = 10, image_size: int = 32, norm: bool = False, dropout: bool = False
) -> nn.Sequential:
    """A net of the zoo, with batch normalisation after each convolution, or dropout after each pooling.

    Args:
        net: its name.
        classes: the number of logits.
        image_size: height and width in pixels.
        norm: add the batch normalisation.
        dropout: add the dropout, p = 0.25.
    """
    layers: dict[str, nn.Module] = {}
    for name, layer in ZOO[net](classes=classes, image_size=image_size).named_children():
        layers[name] = layer
        if norm and isinstance(layer, nn.Conv2d):
            layers[f"bn_{name}"] = nn.BatchNorm2d(layer.out_channels)
        if dropout and isinstance(layer, nn.MaxPool2d):
            layers[f"drop_{name}"] = nn.Dropout(DROPOUT)
    made = nn.Sequential()
    for name, layer in layers.items():
        made.add_module(name, layer)
    return made
