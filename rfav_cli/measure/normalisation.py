"""How far the probe is from the samples that the first batch normalisation was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.activations.norm_input import pooled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rfav_cli.activations.norm_input import NormInput
    from rfav_cli.measure.setup import Setup

SAMPLES = 50
"""How many samples of the probe are looked at: the first ones, which are of many classes; few, to cost little where the
first normalisation comes late."""


def look_at_normalisation(setup: Setup, batch_size: int) -> Mapping[str, NDArray[Any]]:
    """Compare what the first batch normalisation is given with its running statistics.

    Args:
        setup: the network, with a checkpoint's weights in it, and the probe.
        batch_size: samples a forward.

    Returns:
        `probe/norm_shift` (): of the worst channel, how many running deviations the mean is off; `probe/norm_variance`
        (): the median over channels of the variance, as a multiple of the running one. NaN where the running
        statistics are those of a net that was not trained; nothing where the net has no batch normalisation.
    """
    inputs: list[NormInput] = []
    for start in range(0, min(SAMPLES, len(setup.probe)), batch_size):
        rows = slice(start, min(start + batch_size, SAMPLES, len(setup.probe)))
        batch = setup.probe.batch(rows, setup.device, channels_last=setup.network.channels_last)
        found = setup.network.norm_input(batch)
        if found is None:
            return {}
        inputs.append(found)
    shift, variance = figures(pooled(inputs))
    return {"probe/norm_shift": np.array(shift), "probe/norm_variance": np.array(variance)}


def figures(given: NormInput) -> tuple[float, float]:
    """Worst shift and median ratio of variances; NaN where they say nothing.

    The normalisation's own epsilon is part of both deviations, so that a dead channel, whose variance is rounding, does
    not count.
    """
    expected = given.expected_variance + given.epsilon
    shifts = (given.mean - given.expected_mean).abs() / expected.sqrt()
    ratios = (given.variance + given.epsilon) / expected
    if not given.learnt or not bool(shifts.isfinite().all() and ratios.isfinite().all()):
        return np.nan, np.nan
    return float(shifts.max()), float(np.median(ratios.numpy()))
