"""A run in a file: written, read back, told from another run."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records import Layer, ProbeRecord, Run, Settings, SkippedLayer
from rfav_cli.records.tasks import TASKS
from rfav_cli.store.layout import write_attribute, write_numbers, write_texts
from rfav_cli.store.schema import SCHEMA, UNIT, damaged
from rfav_cli.text import count, printable
from rfav_cli.version import __version__

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from rfav_cli.store.hdf5 import StoreFile

MOST_LAYERS = 8_000
"""Layers of a net; a line is shown of each."""
_MOST_AXES = 16
_ATTRIBUTES = {"unit": "epoch_unit"}
"""Settings whose names are taken: `unit` is that of the entropies."""
_UNITS = ("epoch", "step")


def fingerprint(run: Run) -> str:
    """SHA-256 of what makes the figures of two epochs comparable: schema, probes, layers, settings."""
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "probe": [run.probe.sha256, run.probe.size],
        "layers": [asdict(layer) for layer in run.layers],
        "settings": asdict(run.settings),
    }
    if run.train_probe is not None:
        content["train_probe"] = [run.train_probe.sha256, run.train_probe.size]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def differences(stored: Run, wanted: Run) -> list[str]:
    """What differs between a store's run and the one that would continue it, as "what: stored / wanted"."""
    differing = []
    for name in ("probe", "train_probe"):
        probes: list[ProbeRecord | None] = [getattr(run, name) for run in (stored, wanted)]
        old, new = (probe and (probe.sha256, probe.size) for probe in probes)
        if old != new:
            differing.append(f"{name}: {' / '.join(map(_probe, probes))}")
    if stored.layers != wanted.layers:
        before = [layer for layer in stored.layers if layer not in wanted.layers] or list(stored.layers)
        now = [layer for layer in wanted.layers if layer not in stored.layers] or list(wanted.layers)
        differing.append(f"layers: {_layers(before)} / {_layers(now)}")
    for field in fields(Settings):
        values = [getattr(run.settings, field.name) for run in (stored, wanted)]
        if values[0] != values[1]:
            differing.append(f"{field.name}: {' / '.join(printable(value) or repr(value) for value in values)}")
    return differing


def write_header(file: h5py.File, run: Run, run_sha256: str) -> None:
    """The attributes that every file of a store has."""
    write_attribute(file, "schema", SCHEMA)
    write_attribute(file, "rfav_version", __version__)
    write_attribute(file, "unit", UNIT)
    write_attribute(file, "run_sha256", run_sha256)
    write_attribute(file, "probe_sha256", run.probe.sha256)
    write_attribute(file, "probe_size", run.probe.size)
    write_attribute(file, "probe_source", run.probe.source)
    if run.probe.inputs:
        write_attribute(file, "probe_inputs", json.dumps(run.probe.inputs))
        write_attribute(file, "probe_padding", run.probe.padding)
    write_attribute(file, "probe_unkept", run.probe.unkept)
    for name in ("guessed", "guessed_right"):
        if math.isfinite(value := getattr(run.probe, name)):
            write_attribute(file, f"probe_{name}", value)
    if run.train_probe is not None:
        write_attribute(file, "train_probe_sha256", run.train_probe.sha256)
        write_attribute(file, "train_probe_size", run.train_probe.size)
        write_attribute(file, "train_probe_source", run.train_probe.source)
    for name, value in asdict(run.settings).items():
        write_attribute(file, _ATTRIBUTES.get(name, name), value)


def write_run(file: h5py.File, run: Run) -> None:
    """The datasets that are kept once for a run."""
    write_texts(file, "layer/name", [layer.name for layer in run.layers])
    write_texts(file, "layer/kind", [layer.kind for layer in run.layers])
    write_numbers(file, "layer/channels", np.array([layer.channels for layer in run.layers], np.int32))
    write_texts(file, "layer/weight_shape", [json.dumps(layer.weight_shape) for layer in run.layers])
    write_texts(file, "layer/positions", [json.dumps(layer.positions) for layer in run.layers])
    write_numbers(file, "layer/normalised", np.array([layer.normalised for layer in run.layers], np.uint8))
    write_texts(file, "skipped/name", [layer.name for layer in run.skipped])
    write_texts(file, "skipped/reason", [layer.reason for layer in run.skipped])
    if run.probe.labels is not None:
        numbers = run.probe.labels.dtype.kind == "f"
        write_numbers(file, "probe/label", np.asarray(run.probe.labels, np.float64 if numbers else np.int64))
    if run.probe.thumbnails is not None:
        write_numbers(file, "probe/thumbnail", np.asarray(run.probe.thumbnails, np.uint8))


def read_run(file: StoreFile) -> Run:
    """The run of a file that `write_run` and `write_header` wrote.

    Raises:
        StoreError: something is missing, or does not fit the rest.
    """
    names, kinds = file.texts("layer/name"), file.texts("layer/kind")
    weights, positions = file.texts("layer/weight_shape"), file.texts("layer/positions")
    channels = _optional(file, "layer/channels", "i", (len(names),))
    if channels is None or not len(names) == len(kinds) == len(weights) == len(positions):
        raise damaged(file.path, "its layers are not complete")
    if len(names) > MOST_LAYERS:
        raise damaged(file.path, f"it has {len(names):,} layers")
    if channels.size and channels.min() < 1:
        raise damaged(file.path, "a layer has no channels")
    normalised = _optional(file, "layer/normalised", "u", (len(names),))
    if normalised is None:
        normalised = np.zeros(len(names), np.uint8)
    layers = tuple(
        Layer(name, kind, int(count), _shape(file, weight), _shape(file, position), bool(follows))
        for name, kind, count, weight, position, follows in zip(
            names, kinds, channels, weights, positions, normalised, strict=True
        )
    )
    for layer in layers:
        if layer.weight_shape and layer.channels > math.prod(layer.weight_shape):
            raise damaged(file.path, f"{layer.name} has {layer.channels:,} channels, more than weights")
    skipped_names, reasons = file.texts("skipped/name"), file.texts("skipped/reason")
    if len(skipped_names) != len(reasons):
        raise damaged(file.path, "its skipped layers are not complete")
    probe = _read_probe(file)
    # What stores were measured with that are older than a setting.
    before = asdict(Settings(fold_norm=False, task="classes" if probe.labelled else ""))
    settings = {name: file.attribute(_ATTRIBUTES.get(name, name), default) for name, default in before.items()}
    if settings["unit"] not in _UNITS:
        raise damaged(file.path, f"its epochs are counted in {printable(settings['unit'])}")
    skipped = tuple(map(SkippedLayer, skipped_names, reasons))
    return Run(layers, skipped, probe, _checked(file, Settings(**settings)), _read_train_probe(file))


def _checked(file: StoreFile, settings: Settings) -> Settings:
    """Settings, of which the task is one that is known."""
    if settings.task and settings.task not in TASKS:
        raise damaged(file.path, f"task is {printable(settings.task)}, and can be {', '.join(TASKS)}")
    return settings


def _read_probe(file: StoreFile) -> ProbeRecord:
    size = file.attribute("probe_size", 0)
    if size < 0:
        raise damaged(file.path, f"probe_size is {size}, and can be 1 or more")
    return ProbeRecord(
        file.attribute("probe_sha256", ""),
        size,
        _read_labels(file, size),
        _optional(file, "probe/thumbnail", "u", (None,) * 4),
        file.attribute("probe_source", ""),
        _names(file, file.attribute("probe_inputs", "[]")),
        file.attribute("probe_padding", ""),
        file.attribute("probe_unkept", False),
        file.attribute("probe_guessed", math.nan),
        file.attribute("probe_guessed_right", math.nan),
    )


def _names(file: StoreFile, text: str) -> tuple[str, ...]:
    """Names that are kept as JSON."""
    with file.guarded():
        names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise damaged(file.path, "the names of its inputs are not complete")
    return tuple(names)


def _read_labels(file: StoreFile, size: int) -> NDArray[Any] | None:
    """One label a sample, or a row of them; whole ones from 0 on, or finite numbers."""
    if "probe/label" not in file.datasets:
        return None
    dataset = file.datasets["probe/label"]
    kind = "f" if dataset.dtype.kind == "f" else "i"
    labels = _optional(file, "probe/label", kind, (size, *(None,) * (len(dataset.shape) == 2)))
    if labels is not None and kind == "i" and labels.min(initial=0) < 0:
        raise damaged(file.path, f"probe/label is {labels.min()}, and can be 0 or more")
    if labels is not None and not np.isfinite(labels).all():
        raise damaged(file.path, "probe/label is not finite")
    return labels


def _read_train_probe(file: StoreFile) -> ProbeRecord | None:
    """What is kept of the training samples; None where there were none."""
    sha256, size = file.attribute("train_probe_sha256", ""), file.attribute("train_probe_size", 0)
    if not sha256 and not size:
        return None
    if size < 1:
        raise damaged(file.path, f"train_probe_size is {size}, and can be 1 or more")
    return ProbeRecord(sha256, size, source=file.attribute("train_probe_source", ""))


def _optional(file: StoreFile, name: str, kind: str, shape: tuple[int | None, ...]) -> NDArray[Any] | None:
    """A dataset of a run, None where there is none; None in its shape stands for any length."""
    if name not in file.datasets:
        return None
    dataset = file.datasets[name]
    fits = len(dataset.shape) == len(shape) and all(
        wanted in (None, length) for length, wanted in zip(dataset.shape, shape, strict=True)
    )
    if dataset.dtype.kind != kind or not fits:
        raise damaged(file.path, f"{name} is {dataset.dtype} {dataset.shape}")
    return file.read(name)


def _shape(file: StoreFile, text: str) -> tuple[int, ...]:
    with file.guarded():
        axes = json.loads(text)
    if (
        not isinstance(axes, list)
        or len(axes) > _MOST_AXES
        or not all(type(axis) is int and axis >= 0 for axis in axes)
    ):
        raise damaged(file.path, f"the shape of a layer is {printable(text)}")
    return tuple(axes)


def _probe(probe: ProbeRecord | None) -> str:
    if probe is None:
        return "none"
    return printable(f"{count(probe.size, 'sample')} of {probe.source} (sha256 {probe.sha256[:8]})")


def _layers(layers: list[Layer]) -> str:
    return printable(", ".join(f"{layer.name} {layer.kind} {layer.channels} {layer.positions}" for layer in layers))
