"""A run: what never changes while its checkpoints are measured, and what is measured of each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from rfav_cli.records.tasks import CROSS_ENTROPY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


Centering = Literal["pearson", "paper"]

CENTERINGS: tuple[Centering, ...] = get_args(Centering)
"""How Eq. 6 centres the filters: each by its own mean, or by the mean filter, as printed."""


PARTS = ("Attention", "LSTM", "GRU", "RNN")
"""Kinds of layers that are a linear map within a module of torch's, which calls no module for it."""

CLASSIFIER = "classifier"
"""Why the layer is skipped whose output is the scores."""


@dataclass(frozen=True)
class Layer:
    """A layer that is measured.

    Attributes:
        name: the module's dotted name, or kind and order where the file has none ("conv2d_3").
        kind: the class of an eager layer, whichever kind of file it came from: "Conv2d", "Linear", ...; of a part of a
            module a name in `PARTS`.
        channels: D, the number of filters or neurons.
        weight_shape: as the weight is stored.
        positions: the shape of the positions for one image: (A, B) for Conv2d, (T,) for tokens, () for a dense layer.
        normalised: a batch normalisation takes all of its outputs; False in stores of before this was kept.
    """

    name: str
    kind: str
    channels: int
    weight_shape: tuple[int, ...]
    positions: tuple[int, ...]
    normalised: bool = False

    @property
    def takes_penalties(self) -> bool:
        """Whether a training can have penalties on it: it is a module of its own."""
        return self.kind not in PARTS

    @property
    def max_entropy(self) -> float:
        """Entropy of a uniform activation: ln D, in nats."""
        return math.log(self.channels)


@dataclass(frozen=True)
class SkippedLayer:
    """A layer that is not measured, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file that was measured: its epoch (-1 = before training), its path as given, its SHA-256 in hex."""

    epoch: int
    path: str
    sha256: str


@dataclass(frozen=True)
class BadCheckpoint:
    """A file that could not be used as a checkpoint of this run, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class ProbeRecord:
    """The held-out images as the store keeps them, or samples that the net was trained on.

    Attributes:
        sha256: digest of the images as they enter the net, and of their labels.
        size: N.
        labels: (N,) int64 classes; (N, K) int64 tags; (N,) or (N, K) float64 numbers; None without labels, and where
            they are of positions.
        thumbnails: (M, H, W, C) uint8, or None where the samples are no images.
        source: the specification that the user gave.
        inputs: the names of the net's arguments, where each sample has several inputs.
        padding: the one of them by which padding is left out of the figures; empty where nothing is.
        unkept: there are labels, which are not kept.
        guessed: the held-out loss of saying the same of all samples, as well as that can be; NaN where there are no
            labels, or it is not known.
        guessed_right: the accuracy of that, between 0 and 1; NaN likewise, and where the task has none.
    """

    sha256: str
    size: int
    labels: NDArray[Any] | None = None
    thumbnails: NDArray[np.uint8] | None = None
    source: str = ""
    inputs: tuple[str, ...] = ()
    padding: str = ""
    unkept: bool = False
    guessed: float = math.nan
    guessed_right: float = math.nan

    @property
    def labelled(self) -> bool:
        """Whether there are labels, which a held-out loss is of."""
        return self.labels is not None or self.unkept


@dataclass(frozen=True)
class Settings:
    """What changes the figures, kept with them so that a run is not continued under other settings.

    Attributes:
        with_bias: the bias is part of the activation (Eq. 1 has none).
        centering: "pearson" (each filter by its own mean) or "paper" (by the mean filter, Eq. 6 as printed).
        fold_norm: the activation is taken after the batch normalisation that follows the layer, where there is one.
            Before it the scale is free. A store that is older than this setting was measured without.
        model: the specification of the net, empty for TorchScript and exported programs.
        output: which of several outputs holds the class scores; empty for the first tensor.
        maps: M.
        outputs: what the net says of each sample is measured, where its output is a row of class scores. A store that
            is older than this setting reads as True; its columns tell which epochs have it.
        weights: which of several state_dicts of a checkpoint is measured: "ema", "model" or its key; empty for what is
            found by its name.
        unit: what checkpoints are counted by: "epoch" or "step".
        task: what the net is asked for, a name of `records.tasks`; empty where there are no labels.
        loss: the name of the held-out loss: the task's, or what the user gave with --loss.
    """

    with_bias: bool = False
    centering: str = "pearson"
    fold_norm: bool = True
    model: str = ""
    output: str = ""
    maps: int = 32
    outputs: bool = True
    weights: str = ""
    unit: str = "epoch"
    task: str = ""
    loss: str = CROSS_ENTROPY


def option_of(setting: str, value: Any) -> tuple[str, Any]:
    """The option that makes a setting what it is, and the value of that option.

    >>> option_of("with_bias", True), option_of("fold_norm", True)
    (('--with-bias', True), ('--no-fold-norm', False))
    """
    if setting == "fold_norm":
        return "--no-fold-norm", not value
    return f"--{setting.replace('_', '-')}", value


@dataclass(frozen=True)
class Run:
    """What never changes while a run is measured.

    Attributes:
        layers: L layers that are measured, in forward order.
        skipped: those that are not.
        probe: N held-out samples.
        settings: what changes the figures.
        train_probe: M samples that the net was trained on, without their labels; None where none were given.
    """

    layers: tuple[Layer, ...]
    skipped: tuple[SkippedLayer, ...]
    probe: ProbeRecord
    settings: Settings = field(default_factory=Settings)
    train_probe: ProbeRecord | None = None

    @property
    def normalised(self) -> bool:
        """Whether a batch normalisation follows any of the layers."""
        return any(layer.normalised for layer in self.layers)

    @property
    def convolutional(self) -> bool:
        """Whether any of the layers is a convolution."""
        return any(layer.kind.startswith("Conv") for layer in self.layers)

    @property
    def classifier(self) -> str:
        """The layer whose output is the scores; empty where there is none, or it is measured like the others."""
        return next((layer.name for layer in self.skipped if layer.reason == CLASSIFIER), "")


@dataclass(frozen=True)
class Measurement:
    """One checkpoint's figures.

    Attributes:
        checkpoint: the file.
        columns: dataset name in the store ("entropy/mean", "entropy/map/0", ...) -> array without the epoch axis, in
            the type that it is stored as.
    """

    checkpoint: Checkpoint
    columns: Mapping[str, NDArray[Any]]
