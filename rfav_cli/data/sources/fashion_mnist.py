"""Fashion-MNIST as published: MNIST's format and file names, but classes, mean and std of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.data.sources.mnist import SPLITS, open_idx

if TYPE_CHECKING:
    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source

__all__ = ["CLASSES", "SPLITS", "open_source"]

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
PRESET = ((0.2860,), (0.3530,))


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open `fashion-mnist:DIR`; see `open_idx`."""
    return open_idx(location, options, CLASSES, PRESET, places=("", "raw", "FashionMNIST/raw"))
