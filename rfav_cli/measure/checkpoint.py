"""One checkpoint through the probe: every statistic from one forward."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli import isolation, statistics
from rfav_cli.activations.class_scores import select_output
from rfav_cli.activations.entropy import position_entropy
from rfav_cli.activations.layer_kinds import positions
from rfav_cli.chance import drawn_from
from rfav_cli.errors import CheckpointError, ModelError, RfavError
from rfav_cli.measure.device import exact_arithmetic
from rfav_cli.measure.moved import WAYS, MovedScores, move, moves
from rfav_cli.measure.normalisation import look_at_normalisation
from rfav_cli.measure.train_probe import TrainScores
from rfav_cli.records import Measurement, Note
from rfav_cli.statistics.base import Statistic
from rfav_cli.statistics.sketch import Sketch
from rfav_cli.text import count, named, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.activations.network import Activation
    from rfav_cli.data.probe import Probe
    from rfav_cli.measure.setup import Setup
    from rfav_cli.records import Checkpoint, Event, Layer, Payload

AUTO_BATCH_CPU = range(50, 101)
"""Samples a batch for `--batch-size auto` on a CPU: many, to call torch less often, where activations are small."""

AUTO_BATCH_CPU_BYTES = 8 * 1024 * 1024
"""Size of a layer's activations that a CPU's caches still take well, which decides within that range."""

AUTO_BATCH_ACCELERATOR = 250


@dataclass
class BatchSize:
    """How many samples run at once; halved where the memory does not suffice, if it was not set by the user."""

    value: int
    automatic: bool

    @classmethod
    def of(cls, option: int | None, device: torch.device, layers: Sequence[Layer]) -> BatchSize:
        """The user's choice, or for None what suits the device and the largest of the layers."""
        if option is not None:
            return cls(option, automatic=False)
        if device.type != "cpu":
            return cls(AUTO_BATCH_ACCELERATOR, automatic=True)
        largest = max(layer.channels * math.prod(layer.positions) for layer in layers) * torch.float32.itemsize
        fitting = AUTO_BATCH_CPU_BYTES // largest
        return cls(min(max(fitting, AUTO_BATCH_CPU[0]), AUTO_BATCH_CPU[-1]), automatic=True)

    def halve(self) -> None:
        """Take half as many.

        Raises:
            ModelError: one sample is too much already, or the user chose the number.
        """
        if not self.automatic:
            raise ModelError(
                f"--batch-size {self.value} needs more memory than there is", "Give a smaller one, or 'auto'."
            )
        if self.value == 1:
            raise ModelError(
                "one sample at a time needs more memory than there is", "Use --device cpu or a smaller --resize."
            )
        self.value //= 2


class _UnfitLayerError(Exception):
    """A layer does not give one activation a sample, of the shape that it had when the run was set up."""


class _Sink:
    """The sink of one checkpoint's forwards: feeds the statistics and counts what came.

    Attributes:
        samples: layer -> how many came, over all uses.
        reading: the statistics have an activation in hand, so what is raised is none of the net's.
    """

    def __init__(self, setup: Setup, started: list[Statistic]) -> None:
        self._layers = setup.run.layers
        self._context = setup.context
        self._index = {layer.name: index for index, layer in enumerate(self._layers)}
        self._statistics = started
        # The activation is made only where a statistic reads it.
        self._readers = [
            statistic for statistic in started if type(statistic).update_activation is not Statistic.update_activation
        ]
        self._expected = sum(setup.uses[name] for name in self._index)
        self._seen = 0
        self._rows = slice(0, 0)
        self._stop_early = not setup.reads_output
        self.samples = dict.fromkeys(self._index, 0)
        self.reading = False

    def start_batch(self, rows: slice) -> None:
        self._rows, self._seen = rows, 0

    def __call__(self, activation: Activation) -> bool:
        index = self._index.get(activation.layer)
        if index is None:
            return False
        self._check_shape(self._layers[index], activation)
        self.reading = True
        entropy = position_entropy(activation.values, activation.channel_dim, activation.bias, activation.scale)
        padding = self._context.padding_of(index, self._rows)
        if padding is not None:
            entropy = entropy.masked_fill(padding, torch.nan)
        for statistic in self._statistics:
            statistic.update_entropy(index, self._rows, entropy)
        if self._readers:
            plain = activation.plain()
            if padding is not None:
                plain = plain.masked_fill(padding.unsqueeze(1), torch.nan)
            for statistic in self._readers:
                statistic.update_activation(index, self._rows, plain)
        self.samples[activation.layer] += len(entropy)
        self._seen += 1
        self.reading = False
        return self._stop_early and self._seen >= self._expected

    def _check_shape(self, layer: Layer, activation: Activation) -> None:
        """Raise where only some samples of the batch reach a layer, or as something else than at first."""
        name, shape = printable(layer.name, 80), activation.values.shape
        samples = self._rows.stop - self._rows.start
        if shape[0] != samples:
            raise _UnfitLayerError(f"{shape[0]} samples of a batch of {samples} reach {name}")
        if positions(layer.kind, shape) != layer.positions:
            raise _UnfitLayerError(
                f"{name} has {positions(layer.kind, shape)} positions for some samples, not {layer.positions}"
            )


class _Unread:
    """The sink of a forward whose output alone is of interest."""

    reading = False

    def __call__(self, _: Activation) -> bool:
        return False


def batches(size: int, most: int) -> list[slice]:
    """The rows of each batch: as many as may be, and what is left.

    One sample is never left alone, since nets that normalise by their batch fail for it or give nothing but noise: the
    last two batches share what they have. Of batches of two samples the last one takes three.

    Args:
        size: N, the number of samples.
        most: samples a batch.
    """
    starts = list(range(0, size, most))
    if most > 1 and len(starts) > 1 and size - starts[-1] == 1:
        if most == 2:
            starts.pop()
        else:
            starts[-1] -= most // 2
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], size], strict=True)]


def measure_weights(
    setup: Setup,
    payload: Payload,
    checkpoint: Checkpoint,
    size: BatchSize,
    on_batch: Callable[[int], None],
    report: Callable[[Event], None],
) -> Measurement:
    """Put weights into the network and measure them, with half the batch again and again while memory does not suffice.

    Args:
        setup: the network and the probe.
        payload: the weights.
        checkpoint: whose weights they are.
        size: samples a forward.
        on_batch: called with the number of samples done.
        report: is told when the batch is halved.

    Raises:
        CheckpointError: the weights are not those of the net, or a layer was not reached by some sample.
        ModelError: one sample is too much.
    """
    setup.network.load(payload)
    whole = size.value
    while (measurement := _measure_if_it_fits(setup, checkpoint, size.value, on_batch)) is None:
        try:
            size.halve()
        except ModelError as error:
            if payload.kind == "eager" or not isolation.is_child():
                raise
            size.value = whole  # the other checkpoints are not to pay for this one
            what = isolation.too_large(f"it was run on {count(whole, 'sample')}")
            raise CheckpointError(f"{checkpoint.path}: {what}", isolation.MORE_MEMORY) from error
        report(Note(f"out of memory: going on with {size.value} samples a batch"))
        torch.cuda.empty_cache()
    return measurement


def sketch_weights(setup: Setup, payload: Payload) -> NDArray[np.float32]:
    """The sketches (L, K) of weights that need not be measured for that; they stay in the network.

    Raises:
        CheckpointError: the weights are not those of the net.
    """
    setup.network.load(payload)
    statistic = Sketch(setup.context)
    for index, layer in enumerate(setup.run.layers):
        statistic.update_weights(index, setup.network.filters(layer.name, folded=False).flatten())
    sketches: NDArray[np.float32] = statistic.compute()["checkpoint/sketch"]
    return sketches


def _measure_if_it_fits(
    setup: Setup, checkpoint: Checkpoint, batch_size: int, on_batch: Callable[[int], None]
) -> Measurement | None:
    """Measure; None where the device or the machine has too little memory for the batch."""
    try:
        with exact_arithmetic():
            return measure(setup, checkpoint, batch_size, on_batch)
    except (RuntimeError, MemoryError) as error:
        if _is_memory(error):
            return None
        raise


def measure(setup: Setup, checkpoint: Checkpoint, batch_size: int, on_batch: Callable[[int], None]) -> Measurement:
    """Measure the weights that a network holds.

    Args:
        setup: the network, with the checkpoint's weights in it, and the probe.
        checkpoint: whose weights they are.
        batch_size: samples a forward.
        on_batch: called with the number of samples done.

    Raises:
        CheckpointError: a layer was not reached by some sample.
        torch.OutOfMemoryError: the batch is too large.
    """
    nonlinearities = tuple(setup.network.nonlinearity(layer.name) for layer in setup.run.layers)
    uses = tuple(setup.uses[layer.name] for layer in setup.run.layers)
    context = replace(setup.context, nonlinearities=nonlinearities, uses=uses)
    started = statistics.start(context)
    sink = _Sink(setup, started)
    with drawn_from(0, setup.device):
        for rows in batches(context.size, batch_size):
            sink.start_batch(rows)
            output = _forward(setup, setup.probe, rows, sink, checkpoint)
            if setup.reads_output:
                scores = select_output(output, context.settings.output)
                for statistic in started:
                    statistic.update_output(rows, scores)
            on_batch(rows.stop)
    missed = [name for name, samples in sink.samples.items() if samples < context.size]
    if missed:
        raise CheckpointError(
            f"{checkpoint.path}: the forward did not reach {', '.join(missed)} for every sample",
            "Leave such layers out with --skip.",
        )
    for index, layer in enumerate(context.layers):
        filters = setup.network.filters(layer.name)
        # The same rows where nothing is folded in, which need not be laid out twice.
        weights = setup.network.filters(layer.name, folded=False) if context.settings.fold_norm else filters
        for statistic in started:
            statistic.update_filters(index, filters)
            statistic.update_weights(index, weights.flatten())
    columns = {name: array for statistic in started for name, array in statistic.compute().items()}
    columns |= look_at_normalisation(setup, batch_size)
    if setup.train_probe is not None:
        columns |= _score_train_probe(setup, setup.train_probe, batch_size, checkpoint)
    if moves(setup):
        columns |= score_moved(setup, batch_size, checkpoint)
    return Measurement(checkpoint, columns)


def _score_train_probe(
    setup: Setup, train_probe: Probe, batch_size: int, checkpoint: Checkpoint
) -> dict[str, NDArray[Any]]:
    """Run the training samples, of whose forward the output alone is read; the columns of `TrainScores`."""
    scores, output = TrainScores(setup, train_probe), setup.context.settings.output
    with drawn_from(0, setup.device):
        for rows in batches(len(train_probe), batch_size):
            scores.update(rows, select_output(_forward(setup, train_probe, rows, _Unread(), checkpoint), output))
    return scores.compute()


def score_moved(setup: Setup, batch_size: int, checkpoint: Checkpoint) -> dict[str, NDArray[Any]]:
    """Run the probe's images moved two ways, of which the output alone is read; the columns of `MovedScores`."""
    scores, output = MovedScores(setup), setup.context.settings.output
    with drawn_from(0, setup.device):
        for way in WAYS:
            for rows in batches(len(setup.probe), batch_size):
                returned = _forward(setup, setup.probe, rows, _Unread(), checkpoint, partial(move, way=way))
                scores.update(way, rows, select_output(returned, output))
    return scores.compute()


def _forward(
    setup: Setup,
    probe: Probe,
    rows: slice,
    sink: _Sink | _Unread,
    checkpoint: Checkpoint,
    change: Callable[[Tensor], Tensor] | None = None,
) -> Any:
    """Run one batch, and give what the net returned.

    Args:
        setup: the net.
        probe: the samples.
        rows: which of them.
        sink: takes what the hooks read.
        checkpoint: whose weights the net has.
        change: made of the samples before they enter the net.

    Raises:
        CheckpointError: the net does not run on it, or a layer gives something else than an activation a sample.
    """
    inputs = probe.batch(rows, setup.device, channels_last=setup.network.channels_last)
    if change is not None and isinstance(inputs, torch.Tensor):
        inputs = change(inputs)
    try:
        return setup.network.forward(inputs, sink)
    except _UnfitLayerError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}", "Leave such layers out with --skip.") from None
    except (RfavError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        if sink.reading or _is_memory(error):
            raise
        raise CheckpointError(
            f"{checkpoint.path}: the net does not run on samples {rows.start} to {rows.stop - 1} of "
            f"{'the probe' if probe is setup.probe else 'the training probe'}: "
            f"{named(error, part='last')}",
            "Run it on such a batch to see why.",
        ) from error


def _is_memory(error: Exception) -> bool:
    """Whether there was too little memory: the CPU's allocator has no exception of its own."""
    return isinstance(error, torch.OutOfMemoryError) or isolation.is_memory(error)
