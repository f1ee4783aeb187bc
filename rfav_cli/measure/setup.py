"""What a run is measured with: the net, opened with its first checkpoint, and the probe, found to fit it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from rfav_cli.activations import networks
from rfav_cli.activations.examination import examine, few
from rfav_cli.activations.layers import select_layers
from rfav_cli.chance import drawn_from
from rfav_cli.checkpoints import formats
from rfav_cli.data.arguments import fit_arguments, other_readings
from rfav_cli.data.padding import padding_of
from rfav_cli.data.sources.base import are_class_numbers
from rfav_cli.errors import CheckpointError, RunError, SampleError
from rfav_cli.measure.device import exact_arithmetic, keep_freed_memory
from rfav_cli.measure.net_output import SAMPLES, NetOutput, look_at_output
from rfav_cli.options.groups import ChosenLayers
from rfav_cli.records import Run, Subject
from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.tasks import task_of
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from rfav_cli.activations.network import Network, OpenOptions, Trace
    from rfav_cli.checkpoints.find import CheckpointFile
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.data.probe import Probe
    from rfav_cli.data.units import Labels
    from rfav_cli.measure.own_loss import OwnLoss
    from rfav_cli.records import Doubt, Layer, ProbeRecord, Settings

TRACE_SAMPLES = 2
"""Samples of the first, small forward: more than one, so that the axis of the samples can be told from the others."""

MOST_NAMES = 5
"""Of layers that are named in a note."""


@dataclass(frozen=True)
class Setup:
    """A net and a probe that are known to fit each other.

    Attributes:
        network: takes the checkpoints in turn.
        probe: N samples.
        run: the layers to measure, the probe and the settings, as the store keeps them.
        trace: what a small forward has shown of the net.
        output: what is known of the net's output.
        device: where the network is.
        notes: what the user should be told.
        doubts: why the figures may not be those of the run as its owner ran it.
        train_probe: M samples that the net was trained on, or None; see `measure.train_probe`.
        loss: the user's own, and the labels as the samples have them, which it takes; None where it is the task's.
    """

    network: Network
    probe: Probe
    run: Run
    trace: Trace
    output: NetOutput
    device: torch.device
    notes: tuple[str, ...]
    doubts: tuple[Doubt, ...] = ()
    train_probe: Probe | None = None
    loss: tuple[OwnLoss, Labels] | None = None

    @property
    def uses(self) -> Mapping[str, int]:
        """How often a forward uses each layer."""
        return self.trace.uses

    @property
    def reads_output(self) -> bool:
        """Whether a forward goes on to the net's output, and does not end after the last layer that is measured."""
        return self.output.read

    @property
    def subject(self) -> Subject:
        """What the run looks at."""
        probe, output, train = self.probe, self.output, self.train_probe
        return Subject(
            probe.source,
            len(probe),
            self._classes(),
            probe.mean,
            probe.std,
            tuple(layer.name for layer in self.run.layers),
            output.path,
            output.shape,
            output.read,
            output.classifier,
            train.source if train else "",
            len(train) if train else 0,
            self.run.settings.task if probe.labels is not None else "",
            self.run.settings.loss,
            probe.as_is,
        )

    def _classes(self) -> int:
        """How many classes the samples are of; 0 where they are of none."""
        labels, task = self.probe.labels, self.run.settings.task
        return 0 if labels is None or not are_class_numbers(labels) or task == "regression" else len(np.unique(labels))

    @functools.cached_property
    def context(self) -> Context:
        """What the statistics know."""
        return self.context_of(self.probe, self.loss)

    def context_of(self, probe: Probe, loss: tuple[OwnLoss, Labels] | None) -> Context:
        """The same of other samples of the net's, with labels in the form that its task takes."""
        labels = None if probe.labels is None else torch.from_numpy(probe.labels).to(self.device)
        found = padding_of(probe.arrays)
        padding = None if found is None or found.places is None else torch.from_numpy(found.places).to(self.device)
        own = None if loss is None else functools.partial(_own_losses, *loss)
        return Context(
            self.run.layers,
            len(probe),
            labels,
            self.run.settings,
            probabilities=self.output.probabilities,
            own_loss=own,
            padding=padding,
        )


def _own_losses(loss: OwnLoss, labels: Labels, output: Tensor, rows: slice) -> Tensor:
    """The user's losses of some samples."""
    return loss(output, labels[rows])


def open_run(
    files: Sequence[CheckpointFile],
    probe: Probe,
    reading: ReadOptions,
    options: OpenOptions,
    settings: Settings,
    chosen: ChosenLayers = ChosenLayers(),  # noqa: B008 - frozen
    *,
    skip_bad: bool = False,
    loss: OwnLoss | None = None,
) -> Setup:
    """Open the first checkpoint that can be used and find its layers with a small forward.

    Raises:
        RunError: no checkpoint can be used.
        CheckpointError: the first can't, and `skip_bad` is off.
        SampleError: the probe does not fit the net.
        ModelError: the net can't be made, or no layer is left to measure.
    """
    network = _open_first(files, reading, options, skip_bad=skip_bad)
    return fit(network, probe, options, settings, layers=chosen.layers, skip=chosen.skip, loss=loss)


def fit(
    network: Network,
    probe: Probe,
    options: OpenOptions,
    settings: Settings,
    *,
    layers: Sequence[str] = (),
    skip: Sequence[str] = (),
    loss: OwnLoss | None = None,
) -> Setup:
    """Find a net's layers with a small forward.

    Raises:
        SampleError: the probe does not fit the net.
        ModelError: no layer is left to measure, or the user's own loss does not fit the net.
    """
    keep_freed_memory()
    said = probe.notes
    with exact_arithmetic(), drawn_from(0, options.device):
        probe, trace = _trace(network, probe, options)
        examined = examine(network, probe.batch(slice(0, few(trace, network, len(probe))), options.device), trace)
        output = look_at_output(network, probe, settings, probe.batch(slice(0, SAMPLES), options.device), loss)
    own = None if loss is None or output.task is None or probe.labels is None else (loss, probe.labels)
    probe, settings = _of_task(probe, settings, output, loss)
    chosen, skipped = select_layers(examined.trace, output.classifier, layers, skip)
    padding, told = _padding(probe, chosen)
    run = Run(
        chosen,
        skipped,
        replace(_record(probe, settings, own=own is not None), padding=padding),
        replace(settings, output=output.choice),
    )
    doubts = examined.doubts([layer.name for layer in chosen], output=output.read)
    raw = _raw_layers(network, [layer.name for layer in chosen], fold_norm=settings.fold_norm)
    found = (note for note in probe.notes if note not in said)
    notes = (*found, *told, *options.notes, *output.notes, *raw)
    return Setup(
        network,
        replace(probe, notes=said),
        run,
        examined.trace,
        output,
        options.device,
        notes,
        (*probe.doubts, *doubts, *output.doubts),
        loss=own,
    )


def _padding(probe: Probe, layers: Sequence[Layer]) -> tuple[str, list[str]]:
    """The mask by which padding is left out of figures, empty where none is, and what to say of that."""
    found = padding_of(probe.arrays)
    if found is None or found.places is None:
        return "", [found.note] if found is not None and found.note else []
    length, share = found.places.shape[1], float(found.places.mean())
    fitting = [layer for layer in layers if layer.positions == (length,)]
    what = f"padding by {printable(found.name)}, {share:.0%} of {length} positions,"
    if not fitting:
        return "", [f"{what} is not left out of the figures: no layer has these positions"]
    return found.name, [f"{what} is left out of the figures of {len(fitting)} of {len(layers)} layers"]


def _of_task(probe: Probe, settings: Settings, output: NetOutput, loss: OwnLoss | None) -> tuple[Probe, Settings]:
    """A probe whose labels are in the form of the task that was told, and settings that name it and its loss."""
    if output.task is None:
        asked = settings.task if settings.task in TASKS else ""
        return probe, replace(settings, task=asked if probe.labels is None else asked or "classes")
    name = output.task.name
    settings = replace(settings, task=name, loss=loss.name if loss else TASKS[name].loss)
    return replace(probe, labels=output.task.labels), settings


def _record(probe: Probe, settings: Settings, *, own: bool) -> ProbeRecord:
    """What the store keeps of a probe: of classes of positions not the labels, and the loss of guessing."""
    record = probe.record()
    if probe.labels is None or settings.task not in TASKS:
        return record
    task = task_of(settings.task)
    kept = None if settings.task == "pixels" else record.labels
    return replace(
        record,
        labels=kept,
        unkept=kept is None,
        guessed=math.nan if own else task.guessed(probe.labels),
        guessed_right=task.guessed_right(probe.labels),
    )


def _raw_layers(network: Network, names: Sequence[str], *, fold_norm: bool) -> list[str]:
    """What to say of layers that are measured before a normalisation, if there are any."""
    normalised = network.normalised()
    raw = [name for name in names if name in normalised and not (fold_norm and normalised[name])]
    if not raw:
        return []
    listed = ", ".join(printable(name, 80) for name in raw[:MOST_NAMES])
    listed += f" and {len(raw) - MOST_NAMES} more" if len(raw) > MOST_NAMES else ""
    what = "as --no-fold-norm says" if not fold_norm else "since that cannot be folded in"
    return [
        f"measured before the normalisation that follows, {what}: {listed}; the scale is free there, so a fall of "
        "their entropy may mean nothing"
    ]


def _trace(network: Network, probe: Probe, options: OpenOptions) -> tuple[Probe, Trace]:
    """Run a few samples; where the net does not take them, as they may be read otherwise.

    That is in colour where they are gray, or the other way round, and whole numbers as they are or as floating-point
    ones.

    Returns:
        The probe that the net takes, and what the net did.
    """
    arguments = network.arguments()
    probe = fit_arguments(probe, arguments)
    try:
        return probe, _run_a_few(network, probe, options)
    except SampleError:
        for note, other in other_readings(probe):
            try:
                fitted = fit_arguments(other, arguments)
                trace = _run_a_few(network, fitted, options)
            except SampleError:
                continue
            options.notes.append(note)
            return fitted, trace
        if probe.together and probe.unclear is not None:
            raise probe.unclear from None
        raise


def _run_a_few(network: Network, probe: Probe, options: OpenOptions) -> Trace:
    try:
        return network.trace(probe.batch(slice(0, min(TRACE_SAMPLES, len(probe))), options.device))
    except SampleError as error:
        raise SampleError(f"{printable(probe.source)}: {error.what}", error.remedy) from error


def _open_first(
    files: Sequence[CheckpointFile], reading: ReadOptions, options: OpenOptions, *, skip_bad: bool
) -> Network:
    """The net of the first file that can be opened; the loop over all files will report the others."""
    failures: list[CheckpointError] = []
    for file in files:
        opened = _open_or_fail(file, reading, options)
        if not isinstance(opened, CheckpointError):
            return opened
        if not skip_bad:
            raise opened
        failures.append(opened)
    raise RunError(f"none of the {len(failures)} checkpoints can be used; the first: {failures[0].what}")


def _open_or_fail(file: CheckpointFile, reading: ReadOptions, options: OpenOptions) -> Network | CheckpointError:
    try:
        return networks.open_network(formats.read(file.path, reading), options)
    except CheckpointError as error:
        return error
