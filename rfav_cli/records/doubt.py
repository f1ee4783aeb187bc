"""What makes a verdict unsafe: a wrong probe, a foreign checkpoint, chance in the net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

DoubtKind = Literal["chance", "batch", "output", "classes", "normalisation", "accuracy", "run", "epoch"]

DOUBT_KINDS: tuple[DoubtKind, ...] = get_args(DoubtKind)
"""Two forwards of the same samples differ; a sample's figures depend on its batch; another output may hold the scores;
the probe's classes, its normalisation or the accuracy do not fit the net; a checkpoint is of another run, or of another
epoch than its name says."""


@dataclass(frozen=True)
class Doubt:
    """A reason why the figures may not be those of the run as its owner ran it.

    Attributes:
        kind: what is doubted.
        where: the layer, the epoch ("epoch 12") or the file that it is about; empty for the run as a whole.
        words: what was seen, with the figures; one sentence without its full stop.
        remedy: what the user can do about it; one sentence or two.
        certainty: that something is wrong indeed, between 0 and 1.
    """

    kind: DoubtKind
    where: str
    words: str
    remedy: str
    certainty: float
