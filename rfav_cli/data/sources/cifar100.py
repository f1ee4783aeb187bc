"""CIFAR-100 as published, with its 100 fine labels; the places and versions are those of CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.data.sources.cifar10 import SPLITS, Published, open_published
from rfav_cli.options.values import NORMALISATIONS

if TYPE_CHECKING:
    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source

__all__ = ["CIFAR100", "SPLITS", "open_source"]

CIFAR100 = Published(
    places=("cifar-100-python", "cifar-100-binary", "cifar-100-python.tar.gz", "cifar-100-binary.tar.gz"),
    files={"test": ("test",), "train": ("train",)},
    names=("meta", "fine_label_names.txt"),
    names_key=b"fine_label_names",
    labels_key=b"fine_labels",
    label_bytes=2,
    preset=NORMALISATIONS["cifar100"],
)


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open `cifar100:DIR`; see `open_published`."""
    return open_published(CIFAR100, location, options)
