"""The images: what is trained on, validated on and probed, none of which is two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.train import PROBE, partition, read_data, write_probe
from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.data.sources.cifar10 import CIFAR10
from rfav_cli.data.sources.cifar100 import CIFAR100
from rfav_cli.data.sources.tiny_imagenet import PRESET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.paper.experiments import Scale
    from rfav_cli.data.sources.base import Preset


@dataclass(frozen=True)
class DataSet:
    """A data set, as published and as it is at the small scale.

    Attributes:
        source: its name to `rfav_cli`, which is that of its folder, too.
        classes, size: as published; size is the side of an image in pixels.
        held_out: the published split that is validated on.
        places: one of these is in the folder of the published set.
        small: the folder of images at the small scale, all of 32 pixels.
        small_classes: of those.
        preset: mean and std.
    """

    source: str
    classes: int
    size: int
    held_out: str
    places: tuple[str, ...]
    small: str
    small_classes: int
    preset: Preset


DATA_SETS: Mapping[str, DataSet] = {
    "cifar-10": DataSet("cifar10", 10, 32, "test", CIFAR10.places, "cifar10", 10, CIFAR10.preset),
    "cifar-100": DataSet("cifar100", 100, 32, "test", CIFAR100.places, "cifar100", 100, CIFAR100.preset),
    "tiny-imagenet": DataSet(
        "tiny-imagenet",
        200,
        64,
        "val",
        ("tiny-imagenet-200", "val/val_annotations.txt"),
        "tiny-imagenet-30",
        30,
        PRESET,
    ),
}


@dataclass(frozen=True)
class Samples:
    """The files of a data set, and what fits them.

    Attributes:
        training, validation, probe: `.npz` files.
        classes, size: of the net.
        preset: mean and std.
    """

    training: Path
    validation: Path
    probe: Path
    classes: int
    size: int
    preset: Preset


def prepare(data: Path, out: Path, scale: Scale, name: str) -> Samples:
    """Write the files of a data set, if they are not there.

    At full scale the published splits are used, less a probe out of the training images. Where a CIFAR set is a folder
    of images without a held-out split, and at the small scale, the benchmark of the verdict's partition is.

    Args:
        data: the folder that holds the sets.
        out: where files of the experiments go.
        scale: of the experiments.
        name: of the data set.
    """
    known, small = DATA_SETS[name], scale.images is not None
    folder = out / "data" / f"{scale.name}-{name}"
    paths = [folder / f"{part}.npz" for part in ("training", "validation", "probe")]
    if not all(path.exists() for path in paths):
        parts = _small(data, out, known, scale.images) if small else _full(data, out, known)
        folder.mkdir(parents=True, exist_ok=True)
        for path, (images, labels) in zip(paths, parts, strict=True):
            temporary = path.with_name(f".{path.name}")
            write_probe(temporary, images, labels)
            temporary.replace(path)
    classes, size = (known.small_classes, 32) if small else (known.classes, known.size)
    training, validation, probe = paths
    return Samples(training, validation, probe, classes, size, known.preset)


def _small(data: Path, out: Path, known: DataSet, count: int | None) -> list[tuple[Any, Any]]:
    images, labels = read_data(data, out, known.small)
    probe, held_out, rest = partition(len(labels))
    return [(images[rows], labels[rows]) for rows in (rest[:count], held_out, probe)]


def _full(data: Path, out: Path, known: DataSet) -> list[tuple[Any, Any]]:
    folder = data / known.source
    if not any((folder / place).exists() for place in known.places) and known.small == known.source:
        return _small(data, out, known, None)
    (images, labels), held_out = (_read(f"{known.source}:{folder}#{split}") for split in ("train", known.held_out))
    probe, rest = np.split(np.random.default_rng(0).permutation(len(labels)), [PROBE])
    return [(images[rest], labels[rest]), held_out, (images[probe], labels[probe])]


def _read(spec: str) -> tuple[Any, Any]:
    """(count, 3, H, W) uint8 images and (count,) int64 labels."""
    source = open_source(spec, SampleOptions())
    return source.read(np.arange(len(source))), source.labels
