"""The columns that rfav itself writes, and the shape of one epoch of each; a statistic may add others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rfav_cli.records.distances import SKETCH

if TYPE_CHECKING:
    from rfav_cli.records.run import Run

_BINS = 201
_NUMBERED = re.compile(r"(entropy/mean_map|entropy/map|activation/winners)/(\d{1,6})", re.ASCII)

_A_LAYER = (
    "entropy/mean",
    "entropy/std",
    "correlation/mean",
    "correlation/abs_mean",
    "correlation/degenerate",
    "weights/nonfinite",
    "activation/dead",
    "activation/scale",
    "activation/shape",
    "activation/rank",
    "nonfinite",
)
_AN_EPOCH = (
    "probe/loss",
    "probe/accuracy",
    "probe/figure",
    "probe/temperature",
    "probe/calibrated_loss",
    "probe/calibration_error",
    "probe/calibrated_error",
    "probe/confidence",
    "checkpoint/distance",
)
_AN_EPOCH_BESIDE = (
    "probe/norm_shift",
    "probe/norm_variance",
    "probe/prediction_spread",
    "moved/disagreement",
    "moved/uncertainty",
)
"""Those without a place of their own in documents: they stand among the other columns."""
_A_SAMPLE = (
    "probe/sample_loss",
    "probe/sample_calibrated_loss",
    "probe/sample_right",
    "probe/sample_prediction",
    "probe/sample_confidence",
    "moved/sample_disagreement",
    "moved/sample_uncertainty",
)


_OF_TRAINING = ("train/loss", "train/accuracy", "train/confidence")
_A_TRAINING_SAMPLE = ("train/sample_loss", "train/sample_confidence")


def is_known(name: str) -> bool:
    """Whether rfav itself writes a column of this name, so that its shape and its place in documents are settled."""
    names = (*_A_LAYER, *_AN_EPOCH, *_A_SAMPLE, "entropy/sample_mean", "correlation/histogram", "checkpoint/sketch")
    return name in (*names, *_OF_TRAINING, *_A_TRAINING_SAMPLE) or _NUMBERED.fullmatch(name) is not None


def row_problem(name: str, shape: tuple[int, ...], run: Run) -> str:
    """What is wrong with the shape of one epoch of a column, in words; empty where nothing is.

    Args:
        name: the column's name; any shape does for a name that is not known.
        shape: without the axis of epochs.
        run: gives L, N, M, and each layer's channels and shape of positions.
    """
    layers, size = len(run.layers), run.probe.size
    if name in (*_OF_TRAINING, *_A_TRAINING_SAMPLE):
        if run.train_probe is None:
            return f"{name} is of training samples, and the run has none"
        due = (run.train_probe.size,) if name in _A_TRAINING_SAMPLE else ()
        return "" if shape == due else f"{name} is {shape} an epoch, not {due}"
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_A_LAYER, (layers,)) | dict.fromkeys(
        (*_AN_EPOCH, *_AN_EPOCH_BESIDE), ()
    )
    shapes |= dict.fromkeys(_A_SAMPLE, (size,))
    shapes |= {"entropy/sample_mean": (layers, size), "correlation/histogram": (layers, _BINS)}
    shapes |= {"checkpoint/sketch": (layers, SKETCH)}
    if name in shapes:
        return "" if shape == shapes[name] else f"{name} is {shape} an epoch, not {shapes[name]}"
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None:
        return ""
    index = int(numbered[2])
    if index >= layers:
        return f"{name} is of a layer that the run does not have"
    layer = run.layers[index]
    if numbered[1] == "activation/winners":
        return (
            "" if shape == (layer.channels,) else f"{name} is {shape} an epoch; the layer has {layer.channels} channels"
        )
    images = 0 if numbered[1] == "entropy/mean_map" else 1
    fits = len(shape) >= images and shape[images:] == layer.positions
    return "" if fits else f"{name} is {shape} an epoch; the positions are {layer.positions}"
