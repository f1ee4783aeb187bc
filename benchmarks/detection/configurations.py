"""The trainings of the detection benchmark, and which of them thresholds may be chosen on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LEARNING_RATES = {"sgd": 0.01, "momentum": 0.01, "adam": 1e-3}
"""Optimizer -> learning rate; `momentum` is SGD with momentum 0.9."""
CLASSES = {"cifar10": 10, "cifar100": 100, "tiny-imagenet-30": 30, "cifar10-half": 5}
"""Data set -> how many classes it has; the half has the first five of CIFAR-10."""
FIRST = "first"
"""The family of the first 64 trainings."""
RESTART = 10
"""Epochs from a warm restart to the next."""


@dataclass(frozen=True)
class Configuration:
    """One training.

    Attributes:
        data: a key of `CLASSES`; tiny-imagenet is resized to 32 pixels.
        net: a name of the zoo, or of a factory in `benchmarks.detection.nets`.
        images: how many it is trained on.
        optimizer: a key of `LEARNING_RATES`.
        epochs: how many; checkpoints are kept from -1 on.
        augment: flip and crop.
        noise: share of training labels that are drawn anew at random.
        decay: weight decay.
        rate: learning rate, if not the optimizer's usual one.
        family: the kind of training, by which the tables part them.
        size: height and width of the images in pixels.
        schedule: of the learning rate: "constant"; "cosine" to zero; "step", a tenth after each third; "restarts",
            a cosine to zero every `RESTART` epochs.
        smoothing: of the labels.
        mixup: alpha of the Beta distribution that pairs of images are mixed by; 0 is none.
        average: decay, a step, of the moving average of the weights that is kept as the checkpoint; 0 is none.
        start: "fresh"; "other classes" or "same classes", trained before on 5,000 other images of those; "dead", all
            biases so low that no ReLU ever opens.
        shock: what the learning rate is multiplied by for the first step of the middle epoch; 1 is nothing.
        imbalance: how many times more images the first class has in the training than the last.
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
    family: str = FIRST
    size: int = 32
    schedule: str = "constant"
    smoothing: float = 0.0
    mixup: float = 0.0
    average: float = 0.0
    start: str = "fresh"
    shock: float = 1.0
    imbalance: float = 1.0

    @property
    def name(self) -> str:
        """What files of it are called."""
        extras = [
            "augment" if self.augment else "",
            f"noise{self.noise:g}" if self.noise else "",
            f"decay{self.decay:g}" if self.decay else "",
            f"rate{self.rate:g}" if self.rate else "",
            self.schedule if self.schedule != "constant" else "",
            f"smoothing{self.smoothing:g}" if self.smoothing else "",
            f"mixup{self.mixup:g}" if self.mixup else "",
            f"average{self.average:g}" if self.average else "",
            self.start.replace(" ", "-") if self.start != "fresh" else "",
            f"shock{self.shock:g}" if self.shock != 1 else "",
            f"imbalance{self.imbalance:g}" if self.imbalance != 1 else "",
        ]
        size = "" if self.size == 32 else f"-{self.size}px"
        parts = [self.data + size, self.net, str(self.images), self.optimizer, f"{self.epochs}epochs", *extras]
        return "_".join(part for part in parts if part)

    @property
    def learning_rate(self) -> float:
        """The one given, or the optimizer's usual one."""
        return self.rate or LEARNING_RATES[self.optimizer]

    @property
    def classes(self) -> int:
        """How many outputs the net has."""
        return CLASSES[self.data]

    @property
    def normalised(self) -> bool:
        """The net has batch normalisation."""
        return self.net.startswith("normnet")


def _first() -> Iterator[Configuration]:
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


def _kinds() -> Iterator[Configuration]:
    """The later kinds, by family; small images, so that each takes half a minute."""
    vanilla, normed, dropped, lenet = "vanillanet-s", "normnet-s", "dropnet-s", "lenet"

    schedules = partial(_small, "schedules")
    yield schedules(vanilla, 2000, "momentum", 30, schedule="cosine")
    yield schedules(normed, 2000, "adam", 24, schedule="step")
    yield schedules(dropped, 5000, "adam", 24, schedule="cosine", augment=True)
    yield schedules(lenet, 10000, "momentum", 24, schedule="step", augment=True)

    restarts = partial(_small, "restarts", schedule="restarts")
    yield restarts(vanilla, 2000, "adam", 30)
    yield restarts(normed, 2000, "momentum", 30)
    yield restarts(lenet, 10000, "sgd", 30)
    yield restarts(dropped, 5000, "adam", 24, augment=True)

    noise = partial(_small, "label noise")
    yield noise(vanilla, 3000, "adam", 24, noise=0.4)
    yield noise(normed, 3000, "momentum", 24, noise=0.6)
    yield noise(lenet, 5000, "adam", 30, noise=0.2)
    yield noise(dropped, 5000, "adam", 20, noise=0.4, augment=True)
    yield noise(vanilla, 5000, "sgd", 20, noise=0.6)
    yield noise(lenet, 10000, "momentum", 15, noise=0.3, augment=True)

    random_labels = partial(_small, "random labels", noise=1.0)
    yield random_labels(vanilla, 1000, "adam", 30)
    yield random_labels("mlp_gelu", 1000, "adam", 30)
    yield random_labels(vanilla, 1000, "adam", 24, start="same classes")
    yield random_labels(lenet, 2000, "adam", 24, start="same classes")

    smoothing = partial(_small, "label smoothing")
    yield smoothing(vanilla, 2000, "adam", 30, smoothing=0.1)
    yield smoothing(normed, 2000, "momentum", 24, smoothing=0.2)
    yield smoothing(lenet, 10000, "adam", 20, smoothing=0.1, augment=True)
    yield smoothing(dropped, 5000, "momentum", 24, smoothing=0.2)

    mixup = partial(_small, "mixup")
    yield mixup(vanilla, 2000, "adam", 30, mixup=1.0)
    yield mixup(normed, 1000, "momentum", 30, mixup=0.2)
    yield mixup(lenet, 5000, "adam", 30, mixup=0.2)
    yield mixup(dropped, 5000, "adam", 20, mixup=1.0)

    average = partial(_small, "averaged weights")
    yield average(vanilla, 2000, "adam", 30, average=0.99)
    yield average(normed, 2000, "momentum", 30, average=0.995)
    yield average(lenet, 5000, "adam", 24, average=0.99)
    yield average(lenet, 10000, "momentum", 24, average=0.999, augment=True)

    fine = partial(_small, "fine-tuning", data="cifar10-half", start="other classes")
    yield fine(vanilla, 500, "adam", 30)
    yield fine(normed, 1000, "momentum", 30)
    yield fine(lenet, 2000, "momentum", 24)
    yield fine(dropped, 5000, "adam", 20, augment=True)

    vit = partial(_small, "vision transformer")
    yield vit("vit", 1000, "adam", 30)
    yield vit("vit", 3000, "adam", 30)
    yield vit("vit", 5000, "sgd", 20)
    yield vit("vit", 10000, "adam", 15, augment=True)

    dense = partial(_small, "dense nets")
    yield dense("mlp_gelu", 2000, "adam", 30)
    yield dense("mlp_gelu", 20000, "sgd", 20)
    yield dense("mlp_tanh", 2000, "adam", 30)
    yield dense("mlp_tanh", 10000, "sgd", 24)
    yield dense("mlp_sigmoid", 2000, "adam", 40)
    yield dense("mlp_sigmoid", 10000, "adam", 20)

    sequences = partial(_small, "sequences")
    yield sequences("row_convolutions", 2000, "adam", 30)
    yield sequences("row_convolutions", 10000, "momentum", 20)
    yield sequences("row_transformer", 2000, "adam", 30)
    yield sequences("row_transformer", 10000, "adam", 15)

    imbalanced = partial(_small, "imbalance", imbalance=20.0)
    yield imbalanced(vanilla, 2000, "adam", 24)
    yield imbalanced(normed, 3000, "momentum", 20)
    yield imbalanced(lenet, 5000, "momentum", 30)
    yield imbalanced(dropped, 5000, "adam", 20, augment=True)

    plain = partial(_small, "plain")
    yield plain(vanilla, 10000, "adam", 10, augment=True)
    yield plain(dropped, 10000, "momentum", 15)
    yield plain(normed, 10000, "sgd", 12, augment=True)
    yield plain(lenet, 10000, "sgd", 30)
    yield plain(vanilla, 1000, "adam", 24)
    yield plain(normed, 1000, "adam", 24)

    yield _small("dead", vanilla, 2000, "adam", 15, start="dead")
    yield _small("dead", lenet, 2000, "momentum", 15, start="dead")
    yield _small("unlearnt", vanilla, 2000, "adam", 15, rate=1e-7)
    yield _small("unlearnt", lenet, 2000, "sgd", 15, rate=1e-6)
    yield _small("broken", vanilla, 3000, "momentum", 20, shock=1000.0)
    yield _small("broken", lenet, 5000, "momentum", 20, shock=1000.0)
    yield _small("broken", "mlp_gelu", 5000, "adam", 20, shock=1000.0)
    yield _small("broken", vanilla, 3000, "adam", 20, shock=3000.0)
    yield _small("diverged", vanilla, 2000, "sgd", 10, rate=10.0)
    yield _small("diverged", "mlp_gelu", 2000, "momentum", 10, rate=100.0)


def _small(
    family: str, net: str, images: int, optimizer: str, epochs: int, data: str = "cifar10", **extras: Any
) -> Configuration:
    """A training on images of 16 pixels."""
    return Configuration(data, net, images, optimizer, epochs, family=family, size=16, **extras)


def split() -> tuple[tuple[Configuration, ...], tuple[Configuration, ...]]:
    """(tuning, reporting): halves by the digest of the name, fixed before the first training ran.

    The first trainings are halved as a whole, the later kinds family by family, so that both halves have each.
    """
    halves: tuple[list[Configuration], list[Configuration]] = ([], [])
    families: dict[str, list[Configuration]] = {}
    for each in (*_first(), *_kinds()):
        families.setdefault(each.family, []).append(each)
    for members in families.values():
        ordered = sorted(members, key=lambda each: hashlib.sha256(each.name.encode()).hexdigest())
        halves[0].extend(ordered[: len(ordered) // 2])
        halves[1].extend(ordered[len(ordered) // 2 :])
    return tuple(halves[0]), tuple(halves[1])
