"""The overfitting runs that are mended: those that rules are chosen on, and those that they are reported on."""

from __future__ import annotations

from benchmarks.detection.configurations import Configuration

_TEN, _HUNDRED, _TINY = "cifar10", "cifar100", "tiny-imagenet-30"

TUNING = (
    Configuration(_TEN, "vanillanet-s", 1000, "momentum", 40),
    Configuration(_TEN, "vanillanet-s", 2000, "adam", 30),
    Configuration(_TEN, "lenet", 5000, "adam", 40),
    Configuration(_HUNDRED, "normnet-s", 5000, "momentum", 20),
    Configuration(_TEN, "normnet-s", 2000, "sgd", 40),
    Configuration(_TEN, "dropnet-s", 5000, "momentum", 35),
    Configuration(_TEN, "normnet-s", 2000, "momentum", 25),
    Configuration(_TINY, "normnet-s", 2000, "adam", 25),
)
"""Six of the tuning half of the detection benchmark, and two more with batch normalisation that it does not have."""

REPORTING = (
    Configuration(_TINY, "vanillanet-s", 3000, "adam", 30),
    Configuration(_TEN, "lenet", 2000, "momentum", 40),
    Configuration(_TEN, "normnet-s", 1000, "momentum", 30),
    Configuration(_TEN, "dropnet-s", 2000, "adam", 40),
    Configuration(_TINY, "normnet-s", 3000, "momentum", 30),
    Configuration(_TINY, "lenet", 5000, "adam", 40),
    Configuration(_HUNDRED, "lenet", 10000, "adam", 30),
    Configuration(_TEN, "normnet-s", 5000, "adam", 20),
)
"""Of its reporting half: eight that overfit and cost little, chosen before any was trained by a recipe."""

HALVES = {"tuning": TUNING, "reporting": REPORTING}
