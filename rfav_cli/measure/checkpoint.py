"""One checkpoint through the probe: every statistic from one forward."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from rfav_cli import statistics
from rfav_cli.activations.class_scores import select_output
from rfav_cli.activations.entropy import position_entropy
from rfav_cli.errors import CheckpointError, ModelError
from rfav_cli.measure.device import exact_arithmetic
from rfav_cli.records import Measurement, Note
from rfav_cli.statistics.base import Statistic
from rfav_cli.statistics.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from rfav_cli.activations.network import Activation
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


class _Sink:
    """The sink of one checkpoint's forwards: feeds the statistics and counts what came."""

    def __init__(self, setup: Setup, started: list[Statistic]) -> None:
        self._index = {layer.name: index for index, layer in enumerate(setup.run.layers)}
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

    def start_batch(self, rows: slice) -> None:
        self._rows, self._seen = rows, 0

    def __call__(self, activation: Activation) -> bool:
        index = self._index.get(activation.layer)
        if index is None:
            return False
        entropy = position_entropy(activation.values, activation.channel_dim, activation.bias, activation.scale)
        for statistic in self._statistics:
            statistic.update_entropy(index, self._rows, entropy)
        if self._readers:
            plain = activation.plain()
            for statistic in self._readers:
                statistic.update_activation(index, self._rows, plain)
        self.samples[activation.layer] += len(entropy)
        self._seen += 1
        return self._stop_early and self._seen >= self._expected


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
    while (measurement := _measure_if_it_fits(setup, checkpoint, size.value, on_batch)) is None:
        size.halve()
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
    except RuntimeError as error:
        # The CPU's allocator has no exception of its own.
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
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
    context = replace(setup.context, nonlinearities=nonlinearities)
    started = statistics.start(context)
    sink = _Sink(setup, started)
    for start in range(0, context.size, batch_size):
        rows = slice(start, min(start + batch_size, context.size))
        sink.start_batch(rows)
        output = setup.network.forward(setup.probe.batch(rows, setup.device), sink)
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
        weights = setup.network.filters(layer.name, folded=False).flatten()
        for statistic in started:
            statistic.update_filters(index, filters)
            statistic.update_weights(index, weights)
    columns = {name: array for statistic in started for name, array in statistic.compute().items()}
    return Measurement(checkpoint, columns)
