"""Decisions on what was measured: pure functions on records."""

from rfav_cli.diagnosis.comparison import compare
from rfav_cli.diagnosis.overfitting import smoothed_loss
from rfav_cli.diagnosis.recipe import recommend
from rfav_cli.diagnosis.verdict import judge

__all__ = ["compare", "judge", "recommend", "smoothed_loss"]
