"""What a verdict depends on: every threshold with its default, unit and origin."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from rfav_cli.errors import UsageError


def _threshold(default: float, unit: str, low: float, high: float, text: str) -> Any:
    return field(default=default, metadata={"unit": unit, "low": low, "high": high, "help": text})


@dataclass(frozen=True)
class Thresholds:
    """Where a verdict draws its lines; each is an option of the commands that judge, and a key of `[tool.rfav]`.

    `docs/thresholds.md` says where each default comes from.

    Raises:
        UsageError: one is no number, or out of its range.
    """

    smoothing: float = _threshold(2.0, "epochs", 0.0, 1000.0, "Sigma of the Gaussian that curves are smoothed with.")
    rise: float = _threshold(
        0.02, "share of the lowest loss", 0.0, 100.0, "How far the smoothed held-out loss must end above its minimum."
    )
    certainty: float = _threshold(0.9, "probability", 0.5, 1.0, "How sure it must be that a run overfits.")
    overconfidence: float = _threshold(
        1.0,
        "changed answers to doubt",
        0.0,
        100.0,
        "Changes of answers between checkpoints, as a ratio to what the net's own doubt allows, without labels.",
    )
    collapse: float = _threshold(
        0.15, "share of the layer's entropy", 0.0, 1.0, "Loss of entropy since the moment of overfitting: a collapse."
    )
    fall: float = _threshold(
        0.05, "share of the layer's entropy", 0.0, 1.0, "Loss of entropy since the moment of overfitting: a fall."
    )
    collapse_alone: float = _threshold(
        0.63,
        "share of the layer's entropy",
        0.0,
        1.0,
        "Loss of entropy in all that is a collapse where nothing but the entropy is known.",
    )
    sparse: float = _threshold(
        0.9,
        "share of the layer's entropy",
        0.0,
        1.0,
        "Loss of entropy in all that is a collapse in a run that does not overfit.",
    )
    fewest: int = _threshold(5, "epochs", 2, 1000000, "Epochs below which nothing is said.")
    duplicate: float = _threshold(
        0.95, "|correlation|", 0.0, 1.0, "From where two filters count as nearly the same, or the opposite."
    )
    correlated: float = _threshold(
        0.1, "|correlation|", 0.0, 1.0, "How far a layer's mean |correlation| must be above that of random filters."
    )

    def __post_init__(self) -> None:
        """Refuse what is no number or out of its range."""
        for each in fields(self):
            value, low, high = getattr(self, each.name), each.metadata["low"], each.metadata["high"]
            whole = isinstance(each.default, int)
            number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
            if not number or not low <= value <= high:  # NaN is in no range
                raise UsageError(
                    f"--{each.name.replace('_', '-')} {value!r:.60}: out of range",
                    f"Give a {'whole ' * whole}number from {low:g} to {high:g} ({each.metadata['unit']}).",
                )
