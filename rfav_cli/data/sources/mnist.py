"""MNIST as published: IDX files, plain or gzipped; and what Fashion-MNIST shares."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from typing import IO, TYPE_CHECKING

import numpy as np

from rfav_cli.data.declared import refuse_swelling
from rfav_cli.data.sources.arrays import ArraySource
from rfav_cli.data.sources.base import Location, Preset, Source, check_labels, order_classes
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.files.regular import open_regular
from rfav_cli.options.values import NORMALISATIONS
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions

SPLITS = ("test", "train")
PREFIXES = {"test": "t10k", "train": "train"}
CLASSES = tuple("0123456789")
MNIST_PRESET = NORMALISATIONS["mnist"]


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open `mnist:DIR`; see `open_idx`."""
    return open_idx(location, options, CLASSES, MNIST_PRESET, places=("", "raw", "MNIST/raw"))


def open_idx(
    location: Location,
    options: SampleOptions,
    classes: tuple[str, ...],
    preset: Preset,
    places: tuple[str, ...],
) -> Source:
    """Read one split: the images' and the labels' file.

    Args:
        location: the folder and the split.
        options: how samples are read.
        classes: the names of the classes.
        preset: mean and std over all pixels of the training images, in units of 0..1.
        places: folders in the one given that the files may lie in.

    Raises:
        SampleError: the files are not there, or not as published.
    """
    images_file = _find(location, "images", 3, places)
    images = _read_idx(images_file, axes=3)
    labels_file = _find(location, "labels", 1, places)
    labels = check_labels(_read_idx(labels_file, axes=1), len(images), labels_file)
    if labels.max() >= len(classes):
        raise SampleError(
            f"{printable(labels_file)}: label {labels.max()}, but {len(classes)} classes", "Download it anew."
        )
    ordered, names = order_classes(labels, classes, options, location.path)
    return ArraySource(location.name, images, ordered, names, "nhw", options, where=images_file, preset=preset)


def _find(location: Location, what: str, axes: int, places: tuple[str, ...]) -> Path:
    """The file of a split, as published (`-idx3-ubyte`) or as some archives unpack it (`.idx3-ubyte`)."""
    names = [
        f"{PREFIXES[location.split]}-{what}{mark}idx{axes}-ubyte{suffix}"
        for mark in ("-", ".")
        for suffix in ("", ".gz")
    ]
    files = (
        location.path / place / name for place in places for name in names if (location.path / place / name).is_file()
    )
    file = next(files, None)
    if file is None:
        raise SampleError(
            f"{printable(location.path)}: no {names[0]} or {names[1]}",
            "Give the folder of the data set as its authors publish it.",
        )
    return file


def _read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """An IDX file of bytes: 0, 0, 8, the number of axes; a big-endian uint32 an axis; the values."""
    try:
        with open_regular(path) as raw:
            is_gzip, size = raw.read(2) == b"\x1f\x8b", raw.seek(0, io.SEEK_END)
            raw.seek(0)
            file: IO[bytes] = gzip.GzipFile(fileobj=raw) if is_gzip else raw  # type: ignore[assignment]
            header = file.read(4 + 4 * axes)
            if header[:4] != bytes([0, 0, 8, axes]):
                raise SampleError(f"{printable(path)}: no IDX file of {axes} axes", "Download the file anew.")
            shape = np.frombuffer(header, dtype=">u4", offset=4, count=axes).tolist()
            refuse_swelling(printable(path), math.prod(shape), size, shape[0] if shape else 0)
            values = file.read(math.prod(shape) + 1)
    except (OSError, EOFError, ValueError, OverflowError, MemoryError, zlib.error) as error:
        raise SampleError(
            f"{printable(path)}: cannot be read: {what_it_says(error)}", remedy_for(error, "Download the file anew.")
        ) from error
    if len(values) != math.prod(shape) or not values:
        raise SampleError(
            f"{printable(path)}: not the {math.prod(shape)} values that it announces", "Download it anew."
        )
    array: NDArray[np.uint8] = np.frombuffer(values, dtype=np.uint8).reshape(shape)
    return array
