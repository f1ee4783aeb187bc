"""The temperature of a checkpoint, from a store or measured."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli import remote
from rfav_cli.commands.measuring import name_of, open_options, sample_options
from rfav_cli.errors import SampleError, StoreError, UsageError
from rfav_cli.files.outputs import Output, check_outputs, write_outputs
from rfav_cli.options import Calibrate, Thresholds, flat
from rfav_cli.records import Calibration, Checkpoint, History, Settings
from rfav_cli.records.tasks import AUTO, TASKS
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.measure.setup import Setup
    from rfav_cli.records import Payload

NOTHING = "Leave the net's output as it is; calibrate nets that choose among classes, by their cross-entropy."


def run(options: Calibrate) -> Calibration:
    """Say by which temperature the scores of a net are to be divided before softmax, and what that is worth.

    A store gives what was measured of an epoch; a checkpoint is measured, for which it takes a probe with labels.

    Returns:
        The temperature and what it is worth, which is written as well where `out` says where.

    Raises:
        StoreError: the store can't be read, has no temperature of that epoch, or none is of use.
        UsageError: the epoch is not in the store, or a checkpoint is given without a probe or with an epoch.
        CheckpointError: the checkpoint cannot be read, is none of the net, or gives no finite scores.
        ModelError: the net cannot be made or does not fit the checkpoint.
        SampleError: the probe cannot be read, has no labels, or does not fit the net.
        OutputError: what was found can't be written there.
    """
    from rfav_cli.render import render_calibration
    from rfav_cli.render.calibration import is_ours

    reads = [options.path, options.probe, options.model, options.loss, options.transform, options.classes]
    outputs = [
        Output(Path(out), "rfav calibrate", "choose another --out", is_ours, reads)
        for out in ([] if options.out is None else [options.out])
    ]
    check_outputs(outputs, force=options.force)
    found = _of_store(options) if _is_store(options.path) else _of_checkpoint(options)
    contents = {output: [render_calibration(found, "json").encode()] for output in outputs}
    write_outputs(contents, force=options.force)
    return found


calibrate = flat(Calibrate, run)


def _is_store(path: str | Path | History) -> bool:
    """Whether a path is to be read as a store: it is one, or there is nothing, which reading it says best."""
    from rfav_cli.store import is_store

    if isinstance(path, History):
        return True
    local = remote.keep(path)
    return is_store(local) or not local.exists()


def _of_store(options: Calibrate) -> Calibration:
    from rfav_cli.commands.open_store import as_history

    history, epoch = as_history(options.path), options.epoch
    epochs = history.epochs.tolist()
    if not epochs:
        raise StoreError(f"{history.path}: holds no epoch yet", "Measure a checkpoint first, with `rfav analyze`.")
    if epoch is not None and epoch not in epochs:
        raise UsageError(
            f"--epoch {epoch}: is not in {history.path}", f"It has {len(epochs)}, from {epochs[0]} to {epochs[-1]}."
        )
    row = len(epochs) - 1 if epoch is None else epochs.index(epoch)
    where = f"{history.path}: epoch {epochs[row]}"
    if problem := _nothing_to_calibrate(history):
        raise StoreError(f"{where} has no temperature: {problem}", NOTHING)
    _check_scores(history, where)
    if not history.labelled:
        raise StoreError(f"{where} has no temperature: the probe has no labels", "Analyze on a probe with labels.")
    if "probe/temperature" not in history.columns:
        raise StoreError(f"{where} was measured without a temperature", "Analyze again with --fresh.")
    return _calibration(history, row, where)


def _check_scores(history: History, where: str) -> None:
    """Refuse what has no class scores: labels would not help it.

    Raises:
        StoreError: it has none.
    """
    if {"probe/sample_prediction", "probe/temperature"}.isdisjoint(history.columns):
        raise StoreError(
            f"{where} has no temperature: no class scores were measured, a row of them for each sample",
            "A temperature is of a net that scores classes; where the scores are one of several outputs, name it with "
            "--output.",
        )


def _of_checkpoint(options: Calibrate) -> Calibration:
    from rfav_cli.checkpoints.formats import is_checkpoint_folder
    from rfav_cli.measure.checkpoint import BatchSize, measure_weights

    place = remote.place(str(options.path))
    path = remote.shown(str(options.path))
    if place.is_dir() and not is_checkpoint_folder(place):
        raise UsageError(
            f"{printable(path)}: a folder, and a temperature is of one checkpoint",
            "Give one of the checkpoints in it, or analyze them all and give the store (rfav.h5) and --epoch.",
        )
    if options.probe is None:
        raise UsageError(
            f"{printable(path)}: not a store, and to measure a checkpoint takes samples",
            "Give held-out samples with labels by --probe.",
        )
    if options.epoch is not None:
        raise UsageError("--epoch: is of a store; a checkpoint is of one epoch", "Leave it out.")
    setup, payload = _opened(options)
    size = BatchSize.of(None, setup.device, setup.run.layers)
    checkpoint = Checkpoint(0, path, "")
    measurement = measure_weights(setup, payload, checkpoint, size, lambda _: None, options.report)
    columns = {name: np.asarray(values)[None] for name, values in measurement.columns.items()}
    history = History(path, setup.run, (checkpoint,), (), columns, setup.doubts)
    where = printable(path)
    _check_scores(history, where)
    if setup.probe.labels is None:
        raise SampleError(
            f"{setup.probe.source}: has no labels, which a temperature is fitted to", "Give a labelled probe."
        )
    return replace(_calibration(history, 0, where), epoch=None, notes=(*setup.probe.notes, *setup.notes))


def _opened(options: Calibrate) -> tuple[Setup, Payload]:
    """The net with the checkpoint's weights, and the probe, found to fit each other."""
    from rfav_cli.activations import networks
    from rfav_cli.activations.specs import net_maker
    from rfav_cli.checkpoints import formats
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.data.probe import load_probe
    from rfav_cli.measure.device import pick_device
    from rfav_cli.measure.own_loss import own_loss
    from rfav_cli.measure.setup import fit

    model = options.model
    task = "" if options.task == AUTO else options.task
    settings = Settings(
        model=name_of(model, options.model_arg),
        output=options.output or "",
        maps=0,
        weights=options.weights or "",
        task=task,
    )
    make_model = net_maker(model, options.model_arg)
    opening = open_options(settings, make_model, pick_device(options.device))
    payload = formats.read(remote.place(str(options.path)), ReadOptions.of(options, opening.device))
    probe = load_probe(options.probe, size=options.probe_size, options=sample_options(options), thumbnails=0)
    setup = fit(networks.open_network(payload, opening), probe, opening, settings, loss=own_loss(options.loss))
    if problem := _nothing_to_calibrate(History(str(options.path), setup.run, (), (), {})):
        raise SampleError(f"{printable(options.path)}: {problem}", NOTHING)
    return setup, payload


def _nothing_to_calibrate(history: History) -> str:
    """Why a temperature means nothing for a run with labels, or nothing."""
    if not history.labelled:
        return ""
    if history.task in TASKS and not TASKS[history.task].in_nats:
        return f"the task {history.task} has no probabilities, so there is nothing to calibrate"
    loss = history.run.settings.loss
    return "" if history.in_nats else f"its loss is {printable(loss)}, and a temperature is fitted to the cross-entropy"


def _calibration(history: History, row: int, where: str) -> Calibration:
    """One epoch's calibration.

    Raises:
        StoreError: it has no temperature.
    """
    from rfav_cli.diagnosis import judge, lowers_loss, says_nothing

    if not math.isfinite(history.temperature[row]):
        raise StoreError(
            f"{where} has no temperature: its output is no row of class scores, or scores are NaN or infinite",
            "`rfav show --epochs` shows which epochs have one.",
        )
    nothing = says_nothing(history, row)
    if nothing:
        raise StoreError(f"{where}: no temperature is of use, {nothing}", "Look at what the net has learnt first.")
    return Calibration(
        history.path,
        epoch=int(history.epochs[row]),
        checkpoint=history.checkpoints[row].path,
        samples=history.run.probe.size,
        output=history.run.settings.output,
        temperature=float(history.temperature[row]),
        loss=float(history.loss[row]),
        calibrated_loss=float(history.calibrated_loss[row]),
        calibration_error=float(history.calibration_error[row]),
        calibrated_error=float(history.calibrated_error[row]),
        accuracy=float(history.accuracy[row]),
        confidence=float(history.confidence[row]),
        helps=lowers_loss(history, row, Thresholds().certainty),
        task=history.task,
        figure=history.figure_name,
        doubts=judge(history).doubts,
    )
