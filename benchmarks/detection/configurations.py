"""The trainings of the detection benchmark, and which of them thresholds may be chosen on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEARNING_RATES = {"sgd": 0.01, "momentum": 0.01, "adam": 1e-3}
"""Optimizer -> learning rate; `momentum` is SGD with momentum 0.9."""
CLASSES = {"cifar10": 10, "cifar100": 100, "tiny-imagenet-30": 30}
"""Data set -> how many classes it has."""


@dataclass(frozen=True)
class Configuration:
    """One training.

    Attributes:
        data: "cifar10", "cifar100" or "tiny-imagenet-30" (resized to 32 pixels).
        net: a name of the zoo.
        images: how many it is trained on.
        optimizer: a key of `LEARNING_RATES`.
        epochs: how many; checkpoints are kept from -1 on.
        augment: flip and crop.
        noise: share of training labels that are drawn anew at random.
        decay: weight decay.
        rate: learning rate, if not the optimizer's usual one.
    """

    data: str
    net: str
    images: int
    optimizer: str
    epochs: int
    augment: bool = False
    noise: float = 0.0
    decay: float = 0.0
    rate: float | None = None

    @property
    def name(self) -> str:
        """What files of it are called."""
        extras = [
            "augment" if self.augment else "",
            f"noise{self.noise:g}" if self.noise else "",
            f"decay{self.decay:g}" if self.decay else "",
            f"rate{self.rate:g}" if self.rate else "",
        ]
        parts = [self.data, self.net, str(self.images), self.optimizer, f"{self.epochs}epochs", *extras]
        return "_".join(part for part in parts if part)

    @property
    def learning_rate(self) -> float:
        """The one given, or the optimizer's usual one."""
        return self.rate or LEARNING_RATES[self.optimizer]

    @property
    def classes(self) -> int:
        """How many outputs the net has."""
        return CLASSES[self.data]


def _configurations() -> Iterator[Configuration]:
    ten, hundred, tiny = "cifar10", "cifar100", "tiny-imagenet-30"
    small, normed, dropped, lenet = "vanillanet-s", "normnet-s", "dropnet-s", "lenet"
    # Few images for many epochs.
    yield Configuration(ten, small, 500, "adam", 40)
    yield Configuration(ten, small, 1000, "momentum", 40)
    yield Configuration(ten, small, 2000, "adam", 30)
    yield Configuration(ten, small, 5000, "momentum", 30)
    yield Configuration(ten, small, 10000, "adam", 20)
    yield Configuration(ten, small, 2000, "adam", 40, augment=True)
    yield Configuration(ten, small, 5000, "adam", 25, decay=5e-4)
    yield Configuration(ten, small, 5000, "momentum", 25, noise=0.2)
    yield Configuration(ten, normed, 1000, "momentum", 30)
    yield Configuration(ten, normed, 2000, "sgd", 40)
    yield Configuration(ten, normed, 5000, "adam", 20)
    yield Configuration(ten, normed, 5000, "adam", 20, noise=0.4)
    yield Configuration(ten, dropped, 2000, "adam", 40)
    yield Configuration(ten, dropped, 5000, "momentum", 35)
    yield Configuration(ten, lenet, 2000, "momentum", 40)
    yield Configuration(ten, lenet, 5000, "adam", 40)
    yield Configuration(ten, "vanillanet-m", 1000, "adam", 20)
    yield Configuration(ten, "vanillanet-m", 1000, "momentum", 25)
    yield Configuration(ten, "normnet-m", 500, "adam", 25)
    yield Configuration(hundred, small, 5000, "adam", 25)
    yield Configuration(hundred, small, 10000, "momentum", 20, decay=5e-4)
    yield Configuration(hundred, normed, 5000, "momentum", 20)
    yield Configuration(hundred, normed, 2000, "adam", 30, augment=True)
    yield Configuration(hundred, dropped, 5000, "adam", 30)
    yield Configuration(hundred, lenet, 10000, "adam", 30)
    yield Configuration(hundred, lenet, 5000, "momentum", 40, noise=0.2)
    yield Configuration(tiny, small, 3000, "adam", 30)
    yield Configuration(tiny, small, 5000, "momentum", 30, noise=0.2)
    yield Configuration(tiny, normed, 3000, "momentum", 30)
    yield Configuration(tiny, dropped, 5000, "adam", 30)
    yield Configuration(tiny, lenet, 5000, "adam", 40)
    yield Configuration(tiny, "vanillanet-m", 1000, "adam", 15)
    # Many images, few epochs, slow or regularised.
    yield Configuration(ten, small, 5000, "sgd", 25)
    yield Configuration(ten, small, 10000, "sgd", 25)
    yield Configuration(ten, small, 20000, "sgd", 15)
    yield Configuration(ten, small, 45000, "sgd", 10)
    yield Configuration(ten, small, 10000, "adam", 15, rate=1e-4)
    yield Configuration(ten, small, 10000, "adam", 15, augment=True)
    yield Configuration(ten, small, 20000, "momentum", 12, augment=True)
    yield Configuration(ten, small, 5000, "momentum", 20, augment=True)
    yield Configuration(ten, normed, 10000, "sgd", 12, augment=True)
    yield Configuration(ten, normed, 20000, "momentum", 10, augment=True)
    yield Configuration(ten, dropped, 10000, "sgd", 25)
    yield Configuration(ten, dropped, 10000, "adam", 15, augment=True)
    yield Configuration(ten, lenet, 20000, "sgd", 25)
    yield Configuration(ten, lenet, 10000, "momentum", 30, augment=True)
    yield Configuration(ten, lenet, 45000, "adam", 12)
    yield Configuration(ten, lenet, 45000, "momentum", 15, augment=True)
    yield Configuration(ten, "vanillanet-m", 2000, "sgd", 15)
    yield Configuration(ten, "normnet-m", 1000, "sgd", 15, augment=True)
    yield Configuration(hundred, small, 10000, "sgd", 25)
    yield Configuration(hundred, small, 20000, "momentum", 12, augment=True)
    yield Configuration(hundred, normed, 10000, "sgd", 15, augment=True)
    yield Configuration(hundred, dropped, 10000, "adam", 15, augment=True)
    yield Configuration(hundred, lenet, 20000, "sgd", 25)
    yield Configuration(hundred, lenet, 45000, "momentum", 12, augment=True)
    yield Configuration(hundred, lenet, 20000, "adam", 20, augment=True)
    yield Configuration(tiny, small, 12000, "sgd", 20)
    yield Configuration(tiny, small, 12000, "adam", 12, augment=True)
    yield Configuration(tiny, normed, 12000, "sgd", 12, augment=True)
    yield Configuration(tiny, dropped, 12000, "adam", 15, augment=True)
    yield Configuration(tiny, lenet, 12000, "sgd", 30)
    yield Configuration(tiny, lenet, 12000, "adam", 15, augment=True)
    yield Configuration(tiny, lenet, 12000, "momentum", 15, decay=1e-3)


def split() -> tuple[tuple[Configuration, ...], tuple[Configuration, ...]]:
    """(tuning, reporting): halves by the digest of the name, fixed before the first training ran."""
    ordered = sorted(_configurations(), key=lambda each: hashlib.sha256(each.name.encode()).hexdigest())
    return tuple(ordered[: len(ordered) // 2]), tuple(ordered[len(ordered) // 2 :])
