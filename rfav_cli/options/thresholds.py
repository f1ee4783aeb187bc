"""What a verdict depends on: every threshold with its default, unit and range."""

from __future__ import annotations

from typing import Any

from rfav_cli.options.field import Options, group, option
from rfav_cli.options.panels import THRESHOLDS


def _threshold(default: float, unit: str, low: float, high: float, text: str) -> Any:
    return option(default=default, help=text, panel=THRESHOLDS, unit=unit, low=low, high=high, metavar="X")


@group
class Thresholds(Options):
    """Where a verdict draws its lines; each is an option of the commands that judge, and a key of `[tool.rfav]`.

    `docs/thresholds.md` says where each default comes from.

    Raises:
        UsageError: one is no number, or out of its range.
    """

    smoothing: float = _threshold(
        2.0, "epochs", 0.0, 1e6, "Sigma of the Gaussian that curves are smoothed with; a tenth of a run at most."
    )
    rise: float = _threshold(
        0.02, "share of the lowest loss", 0.0, 100.0, "How far the smoothed held-out loss must end above its minimum."
    )
    certainty: float = _threshold(0.9, "probability", 0.5, 1.0, "How sure it must be that a run overfits.")
    knowledge: float = _threshold(
        0.05,
        "share of the lowest calibrated loss",
        0.0,
        100.0,
        "How far the smoothed loss after calibration must end above its minimum: knowledge that is lost.",
    )
    drop: float = _threshold(
        0.01, "share of the samples", 0.0, 1.0, "How far the smoothed accuracy must end below its highest: the same."
    )
    disagreement: float = _threshold(
        0.65,
        "disagreement to uncertainty",
        0.0,
        100.0,
        "How often two checkpoints may disagree, as a ratio to what both say of their own uncertainty, without labels.",
    )
    moved: float = _threshold(
        0.6,
        "disagreement to uncertainty",
        0.0,
        100.0,
        "How often predictions for an image moved two ways may differ, as a ratio to their uncertainty, unlabelled.",
    )
    gap: float = _threshold(
        0.2,
        "confidence",
        0.0,
        1.0,
        "How much surer a net may be of training samples than of held-out ones, with --train-probe.",
    )
    collapse: float = _threshold(
        0.15,
        "share of ln D",
        0.0,
        1.0,
        "What a layer must lose, by growth or in shape, since the onset of overfitting: a collapse.",
    )
    fall: float = _threshold(
        0.05, "share of ln D", 0.0, 1.0, "What a layer must lose since the onset of overfitting: a fall."
    )
    sparse: float = _threshold(
        0.2,
        "share of ln D",
        0.0,
        1.0,
        "What a layer must lose in shape, in all, in a run that is not known to overfit: a collapse.",
    )
    fewest: int = _threshold(5, "epochs", 2, 1000000, "Epochs below which there is no verdict.")
    duplicate: float = _threshold(
        0.95, "|correlation|", 0.0, 1.0, "From where two filters count as nearly the same, or the opposite."
    )
    correlated: float = _threshold(
        0.1, "|correlation|", 0.0, 1.0, "How far a layer's mean |correlation| must be above that of random filters."
    )
