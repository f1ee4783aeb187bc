"""The statistics that are measured; a new one is one new file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.statistics.base import Context, Statistic

STATISTICS = {
    "entropy": "Entropy",
    "maps": "Maps",
    "correlation": "Correlation",
    "weights": "Weights",
    "loss": "Loss",
    "outputs": "Outputs",
    "dead": "Dead",
    "shape": "Shape",
    "winners": "Winners",
    "sketch": "Sketch",
}
"""Stem of the file in this folder -> the class in it."""


def start(context: Context) -> list[Statistic]:
    """Every statistic, ready to take in one checkpoint."""
    return [getattr(import_module(f"{__name__}.{stem}"), name)(context) for stem, name in STATISTICS.items()]
