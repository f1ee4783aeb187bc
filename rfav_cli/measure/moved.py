"""The probe's images moved a little, two ways: how often the net then changes its mind, from two forwards more.

An image that is moved by a few pixels is of the same class, so where a net predicts different classes for two such
images one of them is wrong. A net that has learnt what holds for new images changes its mind where it is unsure; one
that has memorised does so where it is sure. No labels are needed, so nothing of this is measured where there are some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.statistics.base import Context
from rfav_cli.statistics.outputs import Outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.measure.setup import Setup

PART = 16
"""An image is moved by this part of its height and width each way: a pixel of 16, two of 32, fourteen of 224."""
SMALLEST = 16
"""Pixels of a side from which a move of one is a small one; it was never tried on smaller images."""
WAYS = (-1, 1)
"""To the upper left and to the lower right."""


def moves(setup: Setup) -> bool:
    """Whether a run's images are moved: they are the one input, large enough, of no known class, and scored."""
    images = setup.probe.inputs
    small = isinstance(images, dict) or images.ndim != 4 or min(images.shape[2:]) < SMALLEST
    of_classes = setup.run.settings.task in ("", "classes")
    return setup.reads_output and setup.probe.labels is None and of_classes and not small


def move(images: Tensor, way: int) -> Tensor:
    """Images moved by a part of their side; what comes in at the edge is the edge again.

    Args:
        images: (n, C, H, W).
        way: -1 to the upper left, 1 to the lower right.

    Returns:
        (n, C, H, W), a copy in the same memory format.
    """
    height, width = images.shape[2:]
    rows, columns = (_places(size, way, images.device) for size in (height, width))
    moved = images.index_select(2, rows).index_select(3, columns)
    channels_last = images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()
    return moved.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


class MovedScores:
    """What a checkpoint says of the N images of a probe, moved two ways.

    Args:
        setup: the net and its probe.
    """

    def __init__(self, setup: Setup) -> None:
        context = Context(setup.run.layers, len(setup.probe), None, setup.run.settings)
        self._outputs = {way: Outputs(context) for way in WAYS}

    def update(self, way: int, rows: slice, output: Tensor) -> None:
        """Take the scores (n, classes) of a batch that was moved one of the `WAYS`."""
        self._outputs[way].update_output(rows, output)

    def compute(self) -> dict[str, NDArray[Any]]:
        """What both ways together say of each image, and the means of that.

        `moved/sample_disagreement` (N,) is 1 where the predictions differ, else 0; `moved/sample_uncertainty` (N,) is
        one less the confidence, of both together, between 0 and 2. `moved/disagreement` and `moved/uncertainty` () are
        their means. Nothing where a score was not finite, or the output no row of class scores.
        """
        found = [outputs.compute() for outputs in self._outputs.values()]
        if any("probe/sample_prediction" not in each for each in found):
            return {}
        predicted = [each["probe/sample_prediction"] for each in found]
        unsure = sum(1 - each["probe/sample_confidence"].astype(np.float64) for each in found)
        differs = (predicted[0] != predicted[1]).astype(np.uint8)
        if not np.isfinite(unsure).all() or min(each.min() for each in predicted) < 0:
            differs, unsure = np.zeros_like(differs), np.full(len(differs), np.nan)
        return {
            "moved/disagreement": np.array(differs.mean() if np.isfinite(unsure).all() else np.nan, np.float64),
            "moved/uncertainty": np.array(np.mean(unsure), np.float64),
            "moved/sample_disagreement": differs,
            "moved/sample_uncertainty": np.asarray(unsure, np.float32),
        }


def _places(size: int, way: int, device: torch.device) -> Tensor:
    """Where each row of a moved image is from."""
    step = max(size // PART, 1)
    return (torch.arange(size, device=device) - way * step).clamp(0, size - 1)
