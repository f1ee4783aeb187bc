"""A class for each pixel of an image, or each step of a sequence: cross-entropy, mean over those that have a label.

A pixel counts the same in whichever sample it is, as torch's own mean has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.tasks.base import Choices, Shape, Task, UnfitLabelsError, entropy_of, two_classes, whole
from rfav_cli.statistics.tasks.classes import are_one_hot

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

IGNORED = -1
"""The label of what has none, in the labels that this task computes with."""
BORDER = 255
"""What such pixels are marked with in masks of bytes; in text it is -100, or any other number below 0."""
PLANES = 2
"""Axes of positions that scores of another resolution are enlarged on."""


class Pixels(Task):
    """(n, C, H, W) scores and (n, H, W) classes; of sequences (n, T, C) or (n, C, T) and (n, T).

    One score a position stands for two classes, as for the task `binary`.
    """

    def labels(self, raw: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """(N, *positions) int32, `IGNORED` where there is none."""
        if raw.ndim < 2 or not whole(raw):
            raise UnfitLabelsError(f"labels {raw.dtype} of the shape {raw.shape} are no classes of positions")
        if raw.shape[1:] == shape and len(shape) > 1 and shape[0] > 1 and are_one_hot(raw):
            raw = raw.argmax(1)
        if class_axis(shape, raw.shape[1:]) is None:
            raw = _without_channel(raw)
        axis = class_axis(shape, raw.shape[1:])
        if axis is None:
            raise UnfitLabelsError(f"labels of the shape {raw.shape} are of other positions than an output {shape}")
        classes = 1 if axis < 0 else shape[axis]
        return _marked(raw.astype(np.int32), classes)

    def reads(self, shape: Shape) -> bool:
        """At least one axis of positions."""
        return len(shape) > 1

    def choices(
        self, output: Tensor, samples: int, labels: Tensor | None, *, probabilities: bool = False
    ) -> Choices | None:
        """A row for each position that has a label."""
        if output.shape[:1] != (samples,) or output.ndim < 2 or not output.is_floating_point():
            return None
        positions = tuple(output.shape[2:]) if labels is None else tuple(labels.shape[1:])
        axis = class_axis(tuple(output.shape[1:]), positions)
        if axis is None:
            return None
        scores = output.float() if axis < 0 else at_positions(output.float().movedim(axis + 1, 1), positions)
        scores = scores.reshape(samples, 1 if axis < 0 else scores.shape[1], -1).movedim(1, 2)
        each = torch.arange(samples, device=output.device)[:, None].expand(scores.shape[:2])
        right = None
        if labels is not None:
            known = labels.reshape(samples, -1) != IGNORED
            scores, each, right = scores[known], each[known], labels.reshape(samples, -1)[known].long()
        scores, each = scores.reshape(-1, scores.shape[-1]), each.reshape(-1)
        if scores.shape[1] == 1:
            scores = two_classes(scores[:, 0], probabilities=probabilities)
        return Choices(scores, right, each)

    def has_one_score(self, shape: Shape, labels: Shape) -> bool:
        """Where there is no axis of classes, or one of length one."""
        axis = class_axis(shape, labels or shape[1:])
        return axis is not None and (axis < 0 or shape[axis] == 1)

    def weight(self, labels: Tensor) -> float:
        """One by the mean number of positions that have a label."""
        return len(labels) / int((labels != IGNORED).sum())

    def guessed(self, labels: NDArray[Any]) -> float:
        """By saying each class as often as it is there, in nats a position."""
        known = labels[labels != IGNORED]
        return entropy_of(np.unique(known, return_counts=True)[1] / len(known))

    def guessed_right(self, labels: NDArray[Any]) -> float:
        """The share of the most frequent class."""
        known = labels[labels != IGNORED]
        return float(np.unique(known, return_counts=True)[1].max() / len(known))


def class_axis(shape: Shape, positions: Shape) -> int | None:
    """Which axis of a sample's output is that of the classes; -1 where it has none, None where it is no such output.

    >>> class_axis((4, 16, 16), (16, 16)), class_axis((9, 5), (9,)), class_axis((16, 16), (16, 16))
    (0, 1, -1)
    """
    if shape == positions:
        return -1
    if len(shape) != len(positions) + 1:
        return None
    if shape[1:] == positions:
        return 0
    if shape[:-1] == positions:
        return len(shape) - 1
    return 0 if len(positions) == PLANES else None


def at_positions(scores: Tensor, positions: Shape) -> Tensor:
    """Scores (n, C, *theirs) at the positions of the labels: enlarged as torchvision's nets do it where they differ."""
    if tuple(scores.shape[2:]) == positions:
        return scores
    return interpolate(scores, positions, mode="bilinear", align_corners=False)


def _without_channel(raw: NDArray[Any]) -> NDArray[Any]:
    """Masks (N, 1, H, W) or (N, H, W, 1) as (N, H, W); others as they are."""
    if raw.ndim > PLANES and raw.shape[1] == 1:
        return np.asarray(raw[:, 0])
    return np.asarray(raw[..., 0]) if raw.ndim > PLANES + 1 and raw.shape[-1] == 1 else raw


def _marked(values: NDArray[np.int32], scores: int) -> NDArray[np.int32]:
    """Classes with `IGNORED` where there is none: below 0, or 255 where there are fewer classes.

    Masks of one score a position that hold 0 and 255 alone are of two classes, as images of black and white have them.
    """
    classes, black_and_white = max(scores, 2), set(np.unique(values).tolist()) == {0, BORDER}
    if black_and_white and scores == 1:
        return values // BORDER
    if black_and_white and classes <= BORDER:
        raise UnfitLabelsError("labels are 0 and 255 alone, and 255 is what has no label: save classes as 0, 1, ...")
    values[(values < 0) | ((values == BORDER) & (classes <= BORDER))] = IGNORED
    top = int(values.max())
    if top == IGNORED:
        raise UnfitLabelsError("no position has a label")
    if top >= classes:
        raise UnfitLabelsError(f"label {top} is beyond the {classes} classes of the output")
    return values


TASK = Pixels(TASKS["pixels"])
