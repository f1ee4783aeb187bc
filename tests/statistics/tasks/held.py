"""A task's figures by the statistics, to be held against references in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from rfav_cli.records import Settings
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.calibration import Calibration
from rfav_cli.statistics.loss import Loss
from rfav_cli.statistics.outputs import Outputs
from rfav_cli.statistics.tasks import task_of


def figures(task: str, output: np.ndarray, raw: np.ndarray, *, cut: int = 3, **more: Any) -> dict[str, np.ndarray]:
    """What loss, outputs and calibration give for an output (N, ...) in two batches, and labels as a file has them."""
    labels = torch.from_numpy(task_of(task).labels(raw, output.shape[1:]))
    context = Context((), len(output), labels, Settings(task=task), **more)
    found: dict[str, np.ndarray] = {}
    for statistic in (Loss(context), Outputs(context), Calibration(context)):
        for rows in (slice(0, cut), slice(cut, len(output))):
            statistic.update_output(rows, torch.from_numpy(output[rows]).float())
        found |= {name.removeprefix("probe/"): np.asarray(value) for name, value in statistic.compute().items()}
    return found


def log_softmax(scores: np.ndarray, axis: int) -> np.ndarray:
    """In float64."""
    wide = scores.astype(np.float64)
    wide = wide - wide.max(axis, keepdims=True)
    result: np.ndarray = wide - np.log(np.exp(wide).sum(axis, keepdims=True))
    return result
