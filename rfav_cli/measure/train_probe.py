"""Samples that the net was trained on, beside the probe: how sure the net is of them, from a forward more.

A net that memorises is surer of what it was trained on than of what it was not. Nothing of its layers is measured on
these samples: the output alone is read.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.data.arguments import fit_arguments, other_readings
from rfav_cli.data.class_labels import check_fits
from rfav_cli.errors import SampleError, UsageError
from rfav_cli.measure.tasks import tell_task
from rfav_cli.records import Doubt
from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.loss import Loss
from rfav_cli.statistics.outputs import Outputs
from rfav_cli.text import count, printable, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.data.probe import Probe
    from rfav_cli.data.sources.base import Arrays
    from rfav_cli.measure.setup import Setup

MORE_THAN_CHANCE = 0.01
"""Share of the held-out samples from which on those that are among the training samples are no duplicates by chance."""
CERTAINTY, BY_CHANCE_CERTAINTY = 0.95, 0.5
"""Of the doubt about a probe with so many such samples, and with fewer."""


def with_train_probe(setup: Setup, train_probe: Probe | None) -> Setup:
    """A run whose net is also shown samples that it was trained on.

    Args:
        setup: a net and a probe that fit each other.
        train_probe: M samples, read as those of the probe were; None changes nothing.

    Raises:
        UsageError: the net's output is not measured.
        SampleError: the samples enter the net otherwise than those of the probe, are all of the probe, or their labels
            do not fit the net.
    """
    if train_probe is None:
        return setup
    if not setup.reads_output:
        raise UsageError(
            "--train-probe: there are no class scores to compare, since the net's output is not measured",
            "Leave --train-probe out, or --no-outputs where that was given.",
        )
    train_probe = _as_the_probe(fit_arguments(train_probe, setup.network.arguments()), setup.probe)
    if setup.loss is not None:  # whose labels may be anything
        train_probe = replace(train_probe, labels=None)
    train_probe = _of_the_task(train_probe, setup)
    record = replace(train_probe.record(), labels=None, thumbnails=None)
    return replace(
        setup,
        train_probe=train_probe,
        run=replace(setup.run, train_probe=record),
        doubts=(*setup.doubts, *train_probe.doubts, *_doubts(setup.probe, train_probe)),
    )


def count_common(held_out: Arrays, trained: Arrays) -> int:
    """How many of the held-out samples are, value for value, among those that the net was trained on.

    Args:
        held_out: (N, C, ...), or several inputs.
        trained: (M, C, ...), likewise.
    """
    known = set(_digests(trained))
    return sum(digest in known for digest in _digests(held_out))


class TrainScores:
    """What a checkpoint says of M training samples.

    Args:
        setup: the net and its probe.
        train_probe: the samples.
    """

    def __init__(self, setup: Setup, train_probe: Probe) -> None:
        context = setup.context_of(train_probe, None)
        self._labelled = context.labels is not None
        self._loss, self._outputs = Loss(context), Outputs(context)

    def update(self, rows: slice, output: Tensor) -> None:
        """Take the net's output on a batch."""
        self._loss.update_output(rows, output)
        self._outputs.update_output(rows, output)

    def compute(self) -> dict[str, NDArray[Any]]:
        """`train/confidence` (), `train/sample_confidence` (M,) between 0 and 1; with labels the loss and accuracy.

        Those are `train/loss`, `train/accuracy` () and `train/sample_loss` (M,). Of numbers there is no confidence, and
        nothing where the output was none of the task.
        """
        outputs, loss = self._outputs.compute(), self._loss.compute()
        columns = {}
        if "probe/sample_confidence" in outputs:
            confidences = outputs["probe/sample_confidence"]
            columns["train/confidence"] = np.array(confidences.mean(dtype=np.float64))
            columns["train/sample_confidence"] = confidences
        if self._labelled and outputs:
            columns |= {f"train/{name}": loss[f"probe/{name}"] for name in ("loss", "accuracy", "sample_loss")}
        return columns


def _of_the_task(train_probe: Probe, setup: Setup) -> Probe:
    """The training samples with labels in the form of the net's task.

    Raises:
        SampleError: they are labels of another.
    """
    shape, task = setup.output.shape, setup.run.settings.task
    if train_probe.labels is None or shape is None or task not in TASKS:
        return train_probe
    told = tell_task(train_probe.labels, shape, task, train_probe.source)
    fitted = train_probe if told is None else replace(train_probe, labels=told.labels)
    if task == "classes" and len(shape) == 1:
        check_fits(fitted, shape[0])
    return fitted


def _as_the_probe(train_probe: Probe, probe: Probe) -> Probe:
    """The training samples in the colours that the net takes; refused where they enter it otherwise than the probe."""
    wanted = _shapes(probe)
    if _shapes(train_probe) != wanted:
        readings = (other for _, other in other_readings(train_probe))
        train_probe = next((other for other in readings if _shapes(other) == wanted), train_probe)
    where, other = printable(train_probe.source), f"those of the probe, {printable(probe.source)},"
    if _shapes(train_probe) != wanted:
        shapes = [", ".join(shapes) for shapes in (_shapes(train_probe), wanted)]
        raise SampleError(
            f"{where}: training samples of {shapes[0]}; {other} are {shapes[1]}",
            "Give both in the same size (--resize) and colours.",
        )
    if (train_probe.mean, train_probe.std) != (probe.mean, probe.std):
        figures = [f"mean {_listed(each.mean)} and deviation {_listed(each.std)}" for each in (train_probe, probe)]
        raise SampleError(
            f"{where}: training samples are normalised by {figures[0]}; {other} by {figures[1]}",
            "Give --mean and --std, which then hold for both.",
        )
    if train_probe.classes and probe.classes and train_probe.classes != probe.classes:
        raise SampleError(
            f"{where}: training samples of other classes than {other.rstrip(',')}: "
            f"{_first_difference(train_probe.classes, probe.classes)}",
            "Give --classes FILE, which then holds for both.",
        )
    return train_probe


def _shapes(probe: Probe) -> list[str]:
    """The shape of each input of a sample, in words, and that it is of whole numbers."""
    shapes = []
    for name, array in probe.arrays.items():
        kind = " whole numbers" if array.dtype.kind in "bi" else ""
        shapes.append(f"{printable(name)} {' x '.join(map(str, array.shape[1:]))}{kind}".strip())
    return shapes


def _doubts(probe: Probe, train_probe: Probe) -> tuple[Doubt, ...]:
    """Doubt a probe with samples that the net was trained on; one that has no others is refused.

    Raises:
        SampleError: all held-out samples are among the training ones.
    """
    common = count_common(probe.inputs, train_probe.inputs)
    if not common:
        return ()
    if common == len(probe):
        raise SampleError(
            f"{printable(train_probe.source)}: the training samples hold all {len(probe):,} of the probe, "
            f"{printable(probe.source)}; what a net was trained on says nothing of overfitting",
            "Give held-out samples with --probe, and others, that the net was trained on, with --train-probe.",
        )
    many = common >= MORE_THAN_CHANCE * len(probe)
    return (
        Doubt(
            "training",
            "",
            f"{some_of(common, len(probe), 'held-out sample', 'are')} among the "
            f"{count(len(train_probe), 'training sample')}, which are a part of what the net was trained on: so more "
            "of the probe may be",
            "Give held-out samples that the net was not trained on.",
            CERTAINTY if many else BY_CHANCE_CERTAINTY,
        ),
    )


def _digests(samples: Arrays) -> Iterator[bytes]:
    """Of each sample, with all of its inputs."""
    arrays = samples.values() if isinstance(samples, dict) else [samples]
    for inputs in zip(*arrays, strict=True):
        yield hashlib.sha256(b"".join(np.ascontiguousarray(each).data for each in inputs)).digest()


def _listed(values: tuple[float, ...] | None) -> str:
    return "none" if values is None else " ".join(f"{value:.4g}" for value in values)


def _first_difference(names: tuple[str, ...], others: tuple[str, ...]) -> str:
    """The first class that has another name, or how many there are."""
    for index, (name, other) in enumerate(zip(names, others, strict=False)):
        if name != other:
            return f"class {index} is {printable(name, 60)} / {printable(other, 60)}"
    return f"{len(names)} / {len(others)} classes"
