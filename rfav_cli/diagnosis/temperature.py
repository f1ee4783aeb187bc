"""What a temperature is worth: whether the scores say anything of the labels, and the loss is lower for sure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import above_zero
from rfav_cli.diagnosis.labels import LEARNT, guessing
from rfav_cli.records.calibration import HIGHEST_TEMPERATURE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records import History


def says_nothing(history: History, row: int) -> str:
    """Why no temperature makes the scores of a checkpoint of use, or nothing.

    Scores that say nothing of the labels are best flattened: the loss then is that of guessing, at any temperature
    that is high enough.
    """
    probe, calibrated = history.run.probe, float(history.calibrated_loss[row])
    if history.temperature[row] >= HIGHEST_TEMPERATURE:
        return "the scores say nothing of the labels: the flatter they are, the lower the held-out loss"
    guessed = probe.guessed
    if probe.labels is not None and history.has_one_class:
        guessed = guessing(probe.labels)[1]
    if not (history.labelled and math.isfinite(calibrated) and math.isfinite(guessed)):
        return ""
    if calibrated < LEARNT * guessed:
        return ""
    return (
        "the scores say nothing of the labels: with the best temperature the held-out loss is "
        f"{calibrated:.3g} nat, by guessing {guessed:.3g}"
    )


def lowers_loss(history: History, row: int, certainty: float) -> bool:
    """Whether a temperature lowers the held-out loss of a checkpoint for sure, each sample with one of other samples.

    The samples are compared one by one. Of a store that has means alone, the means are.
    """
    loss, calibrated = float(history.loss[row]), float(history.calibrated_loss[row])
    if not calibrated < loss:
        return False
    before, after = (_samples(history, name, row) for name in ("probe/sample_loss", "probe/sample_calibrated_loss"))
    if before is None or after is None or before.size < 2:
        return True
    gains = before - after
    return above_zero(float(gains.mean()), float(gains.std()) / math.sqrt(gains.size)) >= certainty


def _samples(history: History, name: str, row: int) -> NDArray[np.float64] | None:
    """(N,) in nats; None where they were not kept, or one is not finite."""
    column = history.columns.get(name)
    if column is None or 0 in column.shape:
        return None
    values = np.asarray(column[row], np.float64)
    return values if np.isfinite(values).all() else None
