"""The small runs, and which of them anything may be chosen on: split by digest before the first was trained."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from benchmarks.detection.configurations import CLASSES, LEARNING_RATES


@dataclass(frozen=True)
class SmallRun:
    """One configuration.

    Attributes:
        data: "cifar10", "cifar100" or "tiny-imagenet-30".
        net: see `nets.make`.
        images: how many it is trained on.
        optimizer: "adam" (1e-3) or "momentum" (SGD, 0.01, momentum 0.9).
        epochs: how many.
        noise: share of training labels that are drawn anew at random.
    """

    data: str
    net: str
    images: int
    optimizer: str
    epochs: int
    noise: float = 0.0

    @property
    def name(self) -> str:
        """What files of it are called."""
        parts = [self.data, self.net, str(self.images), self.optimizer, str(self.epochs)]
        return "_".join([*parts, *([f"noise{self.noise:g}"] if self.noise else [])])

    @property
    def normalised(self) -> bool:
        """Whether the net has batch normalisation."""
        return self.net.startswith("norm")

    @property
    def classes(self) -> int:
        """How many outputs the net has."""
        return CLASSES[self.data]

    @property
    def rate(self) -> float:
        """The learning rate."""
        return LEARNING_RATES[self.optimizer]


_TEN, _HUNDRED, _TINY = "cifar10", "cifar100", "tiny-imagenet-30"
RUNS = (
    SmallRun(_TEN, "lenet", 2000, "adam", 40),
    SmallRun(_TEN, "lenet", 1000, "momentum", 60),
    SmallRun(_TEN, "lenet", 2000, "adam", 40, noise=0.2),
    SmallRun(_HUNDRED, "lenet", 3000, "adam", 40),
    SmallRun(_TINY, "lenet", 2000, "adam", 40),
    SmallRun(_TEN, "drop-lenet", 1500, "adam", 50),
    SmallRun(_TEN, "mlp", 1000, "adam", 40),
    SmallRun(_HUNDRED, "mlp", 3000, "adam", 30),
    SmallRun(_TINY, "mlp", 2000, "momentum", 50),
    SmallRun(_TEN, "thin", 1000, "adam", 40),
    SmallRun(_TEN, "thin", 2000, "momentum", 40),
    SmallRun(_TINY, "thin", 1500, "adam", 35),
    SmallRun(_TEN, "norm-lenet", 1000, "adam", 30),
    SmallRun(_TEN, "norm-lenet", 2000, "momentum", 30),
    SmallRun(_HUNDRED, "norm-lenet", 3000, "adam", 25),
    SmallRun(_TINY, "norm-lenet", 2000, "adam", 30),
    SmallRun(_TEN, "norm-mlp", 1000, "adam", 30),
    SmallRun(_TEN, "norm-mlp", 3000, "momentum", 30),
    SmallRun(_TEN, "norm-thin", 1000, "adam", 25),
    SmallRun(_TEN, "norm-thin", 2000, "momentum", 25),
)
TUNING_OF = {False: 4, True: 3}
"""Normalised or not -> how many of these runs the rest was chosen on."""


def split() -> dict[str, tuple[SmallRun, ...]]:
    """The halves "tuning" and "reporting": of nets with and without normalisation the first by digest tune."""
    halves: dict[str, tuple[SmallRun, ...]] = {"tuning": (), "reporting": ()}
    for normalised, count in TUNING_OF.items():
        these = [each for each in RUNS if each.normalised == normalised]
        ordered = sorted(these, key=lambda each: hashlib.sha256(each.name.encode()).hexdigest())
        halves["tuning"] += tuple(ordered[:count])
        halves["reporting"] += tuple(ordered[count:])
    return halves
