"""What makes a verdict unsafe: a wrong probe, a foreign checkpoint, chance in the net."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

DoubtKind = Literal["chance", "batch", "output", "classes", "normalisation", "accuracy", "run", "epoch", "training"]

DOUBT_KINDS: tuple[DoubtKind, ...] = get_args(DoubtKind)
"""Two forwards of the same samples, or two readings of them, differ; a sample's figures depend on its batch; another
output may hold the scores; the probe's classes, its normalisation or the accuracy do not fit the net; a checkpoint is
of another run, or of another epoch than its name says; the net was trained on samples of the probe."""


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

    @property
    def sentence(self) -> str:
        """All of it on one line, as it is told."""
        return f"{f'{self.where}: ' if self.where else ''}{self.words}. {self.remedy}"


@dataclass(frozen=True)
class Derived:
    """What a store's own figures tell of the run as a whole, written into it for those who read it without rfav.

    Attributes:
        doubts: those that nobody has to record.
        columns: name -> (E, ...), one row an epoch.
    """

    doubts: tuple[Doubt, ...] = ()
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
