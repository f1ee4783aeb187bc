"""What flows from a run's files to a verdict: plain records, no behaviour beyond looking at themselves.

Shapes are written with E epochs, L layers, N probe images, M images whose heatmaps are kept, D channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


_LONGEST_NAME = 60


class Column(Protocol):
    """An array along the epochs, in memory or read on use (`store` gives the latter for heatmaps)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The whole shape, epochs first."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that it is stored as."""

    def __getitem__(self, key: Any, /) -> Any:
        """Index as a numpy array, epochs first."""

    def __len__(self) -> int:
        """The number of epochs."""


@dataclass(frozen=True)
class Layer:
    """A layer that is measured.

    Attributes:
        name: the module's dotted name, or kind and order where the file has none ("convolution_3").
        kind: the class of an eager layer, whichever kind of file it came from: "Conv2d", "Linear", ...
        channels: D, the number of filters or neurons.
        weight_shape: as the weight is stored.
        positions: the shape of the positions for one image: (A, B) for Conv2d, (T,) for tokens, () for a dense layer.
    """

    name: str
    kind: str
    channels: int
    weight_shape: tuple[int, ...]
    positions: tuple[int, ...]

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
    """The held-out images as the store keeps them.

    Attributes:
        sha256: digest of the images as they enter the net, and of their labels.
        size: N.
        labels: (N,) int64, or None.
        thumbnails: (M, H, W, C) uint8, or None where the samples are no images.
        source: the specification that the user gave.
    """

    sha256: str
    size: int
    labels: NDArray[np.int64] | None = None
    thumbnails: NDArray[np.uint8] | None = None
    source: str = ""


@dataclass(frozen=True)
class Settings:
    """What changes the figures, kept with them so that a run is not continued under other settings.

    Attributes:
        with_bias: the bias is part of the activation (Eq. 1 has none).
        centering: "pearson" (each filter by its own mean) or "paper" (by the mean filter, Eq. 6 as printed).
        fold_norm: the activation is taken after the batch normalisation that follows the layer.
        model: the specification of the net, empty for TorchScript and exported programs.
        output: which of several outputs the loss is taken of; empty for the first tensor.
        maps: M.
    """

    with_bias: bool = False
    centering: str = "pearson"
    fold_norm: bool = False
    model: str = ""
    output: str = ""
    maps: int = 32


@dataclass(frozen=True)
class Run:
    """What never changes while a series is measured."""

    layers: tuple[Layer, ...]
    skipped: tuple[SkippedLayer, ...]
    probe: ProbeRecord
    settings: Settings = field(default_factory=Settings)


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


@dataclass(frozen=True, eq=False)
class History:
    """All that a store holds: the measurements of a run in the order of epochs.

    Attributes:
        path: the store's path, as given.
        run: what never changes.
        checkpoints: E files, by epoch.
        bad: files that could not be used.
        columns: dataset name -> array with the epochs first. Heatmaps are read on use. An epoch that was written
            without the column has NaN.
    """

    path: str
    run: Run
    checkpoints: tuple[Checkpoint, ...]
    bad: tuple[BadCheckpoint, ...]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.checkpoints)

    @property
    def epochs(self) -> NDArray[np.int64]:
        """(E,), ascending; -1 = before training."""
        return np.array([checkpoint.epoch for checkpoint in self.checkpoints], np.int64)

    @property
    def entropy(self) -> NDArray[np.float64]:
        """(E, L) mean entropies in nats, NaN where there are none."""
        return self._numbers("entropy/mean", len(self.run.layers))

    @property
    def loss(self) -> NDArray[np.float64]:
        """(E,) held-out losses, NaN where there are none."""
        return self._numbers("probe/loss")

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(E,) held-out accuracies between 0 and 1, NaN where there are none."""
        return self._numbers("probe/accuracy")

    def layer_index(self, name: str) -> int:
        """The number of a layer in forward order.

        Raises:
            KeyError: no layer of that name is measured.
        """
        names = [layer.name for layer in self.run.layers]
        if name not in names:
            raise KeyError(f"no layer {name!r}; there are {', '.join(map(repr, names))}")
        return names.index(name)

    def maps(self, layer: str) -> Column:
        """(E, M, *positions) float16 heatmaps of a layer for the M images that they are kept of.

        Raises:
            KeyError: no such layer, or no heatmaps are kept (`--maps 0`).
        """
        return self.columns[f"entropy/map/{self.layer_index(layer)}"]

    def mean_map(self, layer: str) -> Column:
        """(E, *positions) float32, the mean heatmap of a layer over the N images.

        Raises:
            KeyError: no such layer.
        """
        return self.columns[f"entropy/mean_map/{self.layer_index(layer)}"]

    def __repr__(self) -> str:
        epochs, probe = self.epochs, self.run.probe
        span = f"{len(self)} epochs, {epochs[0]} to {epochs[-1]}" if len(self) else "no epochs"
        lines = [f"<History {self.path}: {span}", f"  probe  {probe.size:,} samples of {_printable(probe.source)}"]
        if np.isfinite(self.loss).any():
            best = int(np.nanargmin(self.loss))
            path = f"{self.loss[0]:.3f} -> {self.loss[best]:.3f} (epoch {epochs[best]}) -> {self.loss[-1]:.3f}"
            lines.append(f"  loss   {path}, accuracy {self.accuracy[-1]:.3f}")
        names = [_printable(layer.name) for layer in self.run.layers]
        width = max(map(len, names), default=0)
        for name, layer, entropy in zip(names, self.run.layers, self.entropy.T, strict=True):
            course = f"{entropy[0]:.3f} -> {entropy[-1]:.3f} of {layer.max_entropy:.3f} nat" if len(self) else "-"
            lines.append(f"  layer  {name:{width}}  {_printable(layer.kind)}({layer.channels})  {course}")
        if self.bad:
            lines.append(f"  bad    {len(self.bad)} files could not be used")
        return "\n".join(lines) + ">"

    def _numbers(self, name: str, *row: int) -> NDArray[np.float64]:
        values = self.columns[name] if name in self.columns else np.full((len(self), *row), np.nan)
        return np.asarray(values, np.float64)


def _printable(text: str) -> str:
    short = text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 3] + "..."
    return short if short and short.isprintable() else repr(short)


@dataclass(frozen=True)
class Finding:
    """One thing that `rfav doctor` looked at.

    Attributes:
        name: what was looked at.
        state: "ok"; "warning" where rfav runs, but something is to be known; "missing" where something cannot be used.
        detail: what was found, and what to do about it.
    """

    name: str
    state: Literal["ok", "warning", "missing"]
    detail: str


@dataclass(frozen=True)
class Note:
    """Something that the user should be told once while a run is measured."""

    text: str


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        checkpoint: the one that runs through the net.
        done: checkpoints measured before it, earlier runs included.
        total: checkpoints in all.
        samples: samples of this one that are done, of `size`.
    """

    checkpoint: str
    done: int
    total: int
    samples: int
    size: int


Event = Note | Progress | Measurement | BadCheckpoint
"""What a run tells while it goes on; a Measurement when it is safe in the store."""
