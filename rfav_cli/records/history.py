"""What a store holds of a run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rfav_cli.records.distances import SKETCH, distances, layer_distances
from rfav_cli.records.notebooks import InNotebooks
from rfav_cli.records.run import Settings
from rfav_cli.records.tasks import TASKS, loss_in_words
from rfav_cli.text import count, figure, printable, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from rfav_cli.records.doubt import Doubt
    from rfav_cli.records.run import BadCheckpoint, Checkpoint, Run

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


@dataclass(frozen=True, eq=False)
class History(InNotebooks):
    """All that a store holds: the measurements of a run in the order of epochs.

    Attributes:
        path: the store's path, as given.
        run: what never changes.
        checkpoints: E files, by epoch.
        bad: files that could not be used.
        columns: dataset name -> array with the epochs first. Heatmaps are read on use. An epoch that was written
            without the column has NaN.
        doubts: seen while it was measured; `diagnosis.doubts` adds those that the figures tell.
    """

    path: str
    run: Run
    checkpoints: tuple[Checkpoint, ...]
    bad: tuple[BadCheckpoint, ...]
    columns: Mapping[str, Column]
    doubts: tuple[Doubt, ...] = ()

    def __len__(self) -> int:
        return len(self.checkpoints)

    @property
    def epochs(self) -> NDArray[np.int64]:
        """(E,), ascending; -1 = before training."""
        import numpy as np  # here, so that records load without it

        return np.array([checkpoint.epoch for checkpoint in self.checkpoints], np.int64)

    @property
    def task(self) -> str:
        """What the net is asked for, a name of `records.tasks`; empty without labels, if the user has not said it."""
        return self.run.settings.task or ("classes" if self.labelled else "")  # which is all that older stores know

    @property
    def labelled(self) -> bool:
        """Whether the samples have labels, which a held-out loss is of."""
        return self.run.probe.labelled

    @property
    def loss_words(self) -> str:
        """What the held-out loss is called in text and on axes."""
        return loss_in_words(self.task if self.labelled else "", self.run.settings.loss)

    @property
    def in_nats(self) -> bool:
        """Whether the held-out loss is a cross-entropy."""
        task = TASKS.get(self.task)
        return task is not None and task.in_nats and self.run.settings.loss == task.loss

    @property
    def figure_name(self) -> str:
        """The name of the task's usual figure; of classes without labels as well, and empty where there is none."""
        return TASKS[self.task].figure if self.task in TASKS else "accuracy"

    @property
    def figure(self) -> NDArray[np.float64]:
        """(E,) the task's usual figure: an accuracy, or what `figure_name` says; NaN where there is none."""
        return self.accuracy if self.has_accuracy else self.other_figure

    @property
    def other_figure(self) -> NDArray[np.float64]:
        """(E,) the task's usual figure where it is no accuracy; NaN else."""
        return self._numbers("probe/figure")

    @property
    def has_accuracy(self) -> bool:
        """Whether the task's usual figure is a share of what is predicted right."""
        return not self.task or (self.task in TASKS and TASKS[self.task].is_share)

    @property
    def has_one_class(self) -> bool:
        """Whether each sample is of one class, so that its label and its prediction are class numbers."""
        return not self.task or (self.task in TASKS and TASKS[self.task].one_class)

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

    @property
    def prediction_spread(self) -> NDArray[np.float64]:
        """(E,) deviations over the samples of the numbers that a net tells; NaN where it tells none."""
        return self._numbers("probe/prediction_spread")

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(E,) mean probability, between 0 and 1, that the net gives its prediction; NaN where there is none."""
        return self._numbers("probe/confidence")

    @property
    def temperature(self) -> NDArray[np.float64]:
        """(E,) temperatures at which the held-out loss is lowest: above 1 for a net that is too sure, NaN without."""
        return self._numbers("probe/temperature")

    @property
    def calibrated_loss(self) -> NDArray[np.float64]:
        """(E,) held-out losses with a temperature, each half of the probe with that of the other; NaN without."""
        return self._numbers("probe/calibrated_loss")

    @property
    def calibration_error(self) -> NDArray[np.float64]:
        """(E,) expected calibration errors between 0 and 1, at no temperature; NaN where there are none."""
        return self._numbers("probe/calibration_error")

    @property
    def calibrated_error(self) -> NDArray[np.float64]:
        """(E,) the same at the temperatures of the calibrated loss."""
        return self._numbers("probe/calibrated_error")

    @property
    def train_confidence(self) -> NDArray[np.float64]:
        """(E,) mean confidence on training samples (`--train-probe`), between 0 and 1; NaN where there are none."""
        return self._numbers("train/confidence")

    @property
    def train_loss(self) -> NDArray[np.float64]:
        """(E,) losses on training samples in nats; NaN where there are none, or they have no labels."""
        return self._numbers("train/loss")

    @property
    def train_accuracy(self) -> NDArray[np.float64]:
        """(E,) accuracies on training samples between 0 and 1; NaN likewise."""
        return self._numbers("train/accuracy")

    @property
    def confidence_gap(self) -> NDArray[np.float64]:
        """(E,), how much higher the mean confidence is on training samples than on held-out ones; NaN without either.

        Between -1 and 1. A net that memorises has a large gap; a small one says nothing.
        """
        import numpy as np

        held_out = self.columns.get("probe/sample_confidence")
        if held_out is None or 0 in held_out.shape:
            return np.full(len(self), np.nan)
        return np.asarray(self.train_confidence - np.asarray(held_out[:], np.float64).mean(1))

    @property
    def dead(self) -> NDArray[np.float64]:
        """(E, L) shares of filters that are zero, whatever they are shown, after the nonlinearity that follows.

        Between 0 and 1; NaN where that nonlinearity is not known, and in epochs that were measured without this figure.
        """
        return self._numbers("activation/dead", len(self.run.layers))

    @property
    def scale(self) -> NDArray[np.float64]:
        """(E, L) scales: how large each layer's activation is as it goes into the nonlinearity that follows.

        The geometric mean, over the live filters, of each filter's root mean square over samples and positions; NaN
        where there is no live filter, and in epochs that were measured without this figure.
        """
        return self._numbers("activation/scale", len(self.run.layers))

    @property
    def shape(self) -> NDArray[np.float64]:
        """(E, L) mean entropies, in nats, of that activation with each filter at unit scale; at most ln D.

        NaN as `scale` is, and for a layer of one filter.
        """
        return self._numbers("activation/shape", len(self.run.layers))

    @property
    def rank(self) -> NDArray[np.float64]:
        """(E, L) effective ranks after the nonlinearity: how many of the D filters vary independently.

        e to the entropy of the normalised eigenvalues of the filters' correlation matrix, between 0 and D; NaN where
        that nonlinearity is not known, and in epochs that were measured without this figure.
        """
        return self._numbers("activation/rank", len(self.run.layers))

    @property
    def distance(self) -> NDArray[np.float64]:
        """(E,) distances of the weights from those of the epoch before, relative to their length.

        Of the layers that are measured; 0 where nothing changed. NaN in the first epoch, and where an epoch or the one
        before was measured without this figure.
        """
        return distances(self.sketches)

    @property
    def layer_distance(self) -> NDArray[np.float64]:
        """(E, L), the same of each layer."""
        return layer_distances(self.sketches)

    @property
    def sketches(self) -> NDArray[np.float64]:
        """(E, L, K) sketches of the layers' weights, of which `records.distances` makes distances, or NaN."""
        return self._numbers("checkpoint/sketch", len(self.run.layers), SKETCH)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of what a store was measured from; the same wherever it lies, packed or not.

        It is of the probes, the layers, the checkpoint files, the mean entropies and what was set other than by
        default, so that a setting which a later version adds does not change it. The defaults are those of the first
        stores, in which no normalisation was folded in, so that theirs stay what they were.
        """
        usual = asdict(Settings(fold_norm=False, task="classes" if self.run.settings.task == "classes" else ""))
        settings = asdict(self.run.settings)
        train_probe = self.run.train_probe
        parts = [
            self.run.probe.sha256,
            *([] if train_probe is None else [train_probe.sha256]),
            {name: value for name, value in settings.items() if value != usual[name]},
            [layer.name for layer in self.run.layers],
            [[checkpoint.epoch, checkpoint.sha256] for checkpoint in self.checkpoints],
            self.entropy.tolist(),
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

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

    def winners(self, layer: str) -> NDArray[np.float64]:
        """(E, D), the share of positions at which each filter of a layer is the largest; a row adds up to 1.

        NaN in epochs that were measured without this figure.

        Raises:
            KeyError: no such layer.
        """
        index = self.layer_index(layer)
        return self._numbers(f"activation/winners/{index}", self.run.layers[index].channels)

    @property
    def unit(self) -> str:
        """What the checkpoints are counted by: "epoch" or "step"."""
        return self.run.settings.unit

    def __repr__(self) -> str:
        import numpy as np

        epochs, probe = self.epochs, self.run.probe
        measured = f"{count(len(self), self.unit)}, {span(epochs.tolist())}" if len(self) else f"no {self.unit}s"
        source = printable(probe.source, _LONGEST_NAME)
        lines = [f"<History {printable(self.path)}: {measured}", f"  probe  {count(probe.size, 'sample')} of {source}"]
        if np.isfinite(self.loss).any():
            best = int(np.nanargmin(self.loss))
            lowest = f"{figure(self.loss[best])} ({self.unit} {epochs[best]})"
            path = f"{figure(self.loss[0])} -> {lowest} -> {figure(self.loss[-1])}"
            lines.append(f"  loss   {path}, accuracy {self.accuracy[-1]:.3f}")
        names = [printable(layer.name, _LONGEST_NAME) for layer in self.run.layers]
        width = max(map(len, names), default=0)
        for name, layer, entropy in zip(names, self.run.layers, self.entropy.T, strict=True):
            course = f"{entropy[0]:.3f} -> {entropy[-1]:.3f} of {layer.max_entropy:.3f} nat" if len(self) else "-"
            kind = printable(layer.kind, _LONGEST_NAME)
            lines.append(f"  layer  {name:{width}}  {kind}({layer.channels})  {course}")
        if self.bad:
            lines.append(f"  bad    {count(len(self.bad), 'file')} could not be used")
        return "\n".join(lines) + ">"

    def _numbers(self, name: str, *row: int) -> NDArray[np.float64]:
        import numpy as np

        values = self.columns[name] if name in self.columns else np.full((len(self), *row), np.nan)
        return np.asarray(values, np.float64)
