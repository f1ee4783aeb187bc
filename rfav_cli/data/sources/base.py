"""What every source of samples gives, to the probe and to training alike, and what the sources share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rfav_cli.chance import drawn_from
from rfav_cli.data.declared import read_text
from rfav_cli.data.units import BYTES, WORDS, Arrays, Labels, Preset, Samples, full_scale
from rfav_cli.errors import SampleError
from rfav_cli.text import printable

__all__ = ["BYTES", "WORDS", "Arrays", "Preset", "Samples", "full_scale"]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions


LARGEST_CLASS_FILE = 2**24
"""Bytes of a file of the names of classes."""


class Source(Protocol):
    """Samples that are read by index; nothing but their labels is held in memory unless the file is one array.

    Attributes:
        name: the specification that the user gave.
        labels: (len, ...), one for each sample; or None. Where there are names of classes, (len,) int64.
        classes: the names of the classes in the order of the labels; empty where there are none.
        is_image: the samples are (C, H, W) images, as against feature vectors and sequences.
        mean, std: the preset normalisation, one value a channel, or None.
        notes: what the user should be told once.
        alphabetical: a label is the place of a class's name among those that have samples, so that a class without any
            shifts the labels of all after it.
        empty: names of classes without samples, as far as they are seen.
        scale: what the values of images are divided by, so that they lie between 0 and 1: 255 for bytes (on their way
            into the net), 65535 for 16 bits; None where they are taken as they are.
        as_is: the samples come as they enter the net, from code that has seen to their colours and units.
        drawn: what is doubted of the samples, where chance decides which they are; empty otherwise.
        image: of several inputs the one that is images; empty where there is none, or more than one.
        main: what the array is called that the one input is read from; empty where it has no name.
        others: names of more arrays in the same place, which are inputs where the net's forward names them.
        unclear: why it cannot be told which arrays are the inputs, where the net's forward does not name them.
        otherwise: another layout that the samples may have, where nothing tells which of two it is.
        whole: whole numbers are given as floating-point ones, which a net may not take.
        axis: where the channels are in what is read.
    """

    name: str
    labels: Labels | None
    classes: tuple[str, ...]
    is_image: bool
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    notes: tuple[str, ...]
    alphabetical: bool = False
    empty: tuple[str, ...] = ()
    scale: float | None = None
    as_is: bool = False
    drawn: str = ""
    image: str = ""
    main: str = ""
    others: tuple[str, ...] = ()
    unclear: SampleError | None = None
    otherwise: str = ""
    whole: bool = False
    axis: int = 1

    def __len__(self) -> int:
        """The number of samples."""

    def read(self, indices: NDArray[np.int64]) -> Arrays:
        """Read samples, at least one, in the order of the indices.

        Returns:
            (n, C, H, W) uint8 or float32 for images, (n, F) or (n, C, T) float32 else, (n, T) int64 for token ids; of
            several inputs a dict.

        Raises:
            SampleError: a sample cannot be read, or does not fit the others; the message names it.
        """

    def labels_of(self, indices: NDArray[np.int64]) -> Labels | None:
        """The labels of samples that were read; `labels` may be None where only the samples themselves have them."""
        return None if self.labels is None else self.labels[indices]

    def differs(self, indices: NDArray[np.int64]) -> bool:  # noqa: ARG002 - files are as they are
        """Whether samples are not the same when they are read twice, as what is augmented is not."""
        return False


class SeveralInputs(Source):
    """Samples of which each has several inputs.

    Args:
        name: the specification.
        parts: name of an input -> where its samples are read.
        labels: (N,) int64, or None.
        classes: the names of the classes.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __init__(
        self, name: str, parts: Mapping[str, Source], labels: NDArray[np.int64] | None, classes: tuple[str, ...]
    ) -> None:
        self.name, self.labels, self.classes = name, labels, classes
        self.notes = tuple(note for part in parts.values() for note in part.notes)
        self._parts = parts
        images = [name for name, part in parts.items() if part.is_image]
        self.image = images[0] if len(images) == 1 else ""
        self.is_image = bool(self.image)
        self.scale = parts[self.image].scale if self.image else None

    def __len__(self) -> int:
        return len(next(iter(self._parts.values())))

    def read(self, indices: NDArray[np.int64]) -> Arrays:
        """Read samples of each input; see `Source.read`."""
        return {name: only(part.read(indices)) for name, part in self._parts.items()}


def only(samples: Arrays) -> Samples:
    """The samples of the one input that there is.

    Raises:
        SampleError: there are several.
    """
    if not isinstance(samples, dict):
        return samples
    raise SampleError(f"samples of several inputs ({printable(', '.join(samples))}), where one is taken", "Give one.")


@dataclass(frozen=True)
class Location:
    """Where samples are, a specification taken apart: `NAME:PATH#SPLIT`, or a path alone.

    Attributes:
        name: as the user gave it.
        path: the file or folder.
        split: "test", "train", ...; empty for sources that have no splits.
        option: that it was given with.
        most: how many samples are needed at most; None for all.
    """

    name: str
    path: Path
    split: str = ""
    option: str = "--probe"
    most: int | None = None


def read_class_file(path: Path) -> tuple[str, ...]:
    """The names of classes, one a line; blank lines do not count.

    Raises:
        SampleError: the file cannot be read, is empty, or names a class twice.
    """
    where, remedy = f"--classes {printable(path)}", "Give a text file, one class name a line."
    lines = read_text(path, LARGEST_CLASS_FILE, remedy, name=where).splitlines()
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise SampleError(f"{where}: names no class", remedy)
    if len(set(names)) != len(names):
        twice, _ = Counter(names).most_common(1)[0]
        raise SampleError(f"{where}: names {printable(twice)} twice", "Each line is the name of one label.")
    return names


def order_classes(
    labels: Labels | None, classes: tuple[str, ...], options: SampleOptions, where: Path
) -> tuple[Labels | None, tuple[str, ...]]:
    """Number the labels in the order of `--classes`, where that is given.

    A source that knows its classes by name gets its labels renumbered; one that has numbers alone gets names for them.
    The file may name classes of which there are no samples.

    Raises:
        SampleError: a class is not in the file, or there are no labels to order.
    """
    if options.classes_file is None:
        return labels, classes
    if labels is None:
        raise SampleError(
            f"{printable(where)}: --classes is given, but the samples have no labels", "Leave --classes out."
        )
    if not are_class_numbers(labels):
        raise SampleError(
            f"{printable(where)}: --classes is given, but the labels are no class numbers", "Leave --classes out."
        )
    names, file = read_class_file(options.classes_file), f"--classes {printable(options.classes_file)}"
    if not classes:
        if labels.max() >= len(names):
            raise SampleError(
                f"{file}: {len(names)} names, but {printable(where)} has label {labels.max()}",
                "Name every class, one a line, in the order of the labels.",
            )
        return labels, names
    known = frozenset(names)
    unknown = [name for name in classes if name not in known]
    if unknown:
        raise SampleError(
            f"{file}: does not name {printable(', '.join(unknown))}, of {printable(where)}",
            "Name every class as the data set does.",
        )
    number = {name: place for place, name in enumerate(names)}
    return np.asarray([number[name] for name in classes], dtype=np.int64)[labels], names


def check_labels(raw: NDArray[Any], count: int, where: Path) -> Labels:
    """Labels in a form that a task can be told from: `rfav_cli.measure.tasks` tells it, when the net is known.

    Args:
        raw: (count, ...) of truth values, whole or floating-point numbers.
        count: how many samples there are.
        where: the file, for messages.

    Returns:
        (count,) int64 or float64, of a column (count, 1) too; (count, ...) as they are, since masks are large.

    Raises:
        SampleError: they are no numbers, not one for each sample, not finite, or class numbers below 0.
    """
    remedy = "Labels are whole numbers from 0 on, one a sample; tags 0 or 1; values; or a class for each pixel."
    if raw.ndim == 2 and raw.shape[1] == 1:
        raw = raw[:, 0]
    if not raw.ndim or 0 in raw.shape[1:]:
        raise SampleError(f"{printable(where)}: labels have the shape {raw.shape}", remedy)
    if raw.dtype.kind not in "biuf":
        raise SampleError(f"{printable(where)}: labels are of type {raw.dtype}", remedy)
    if len(raw) != count:
        raise SampleError(f"{printable(where)}: {len(raw)} labels for {count} samples", remedy)
    if raw.dtype.kind == "f":
        if not (finite := np.isfinite(raw).reshape(count, -1).all(1)).all():
            place = int(finite.argmin())
            raise SampleError(f"{printable(where)}: label {raw[place]} of sample {place} is not finite", remedy)
        return raw.astype(np.float64) if raw.ndim == 1 else raw
    if raw.ndim > 1:
        return raw
    outside = np.flatnonzero((raw < 0) | (raw > np.iinfo(np.int64).max)) if raw.dtype.kind != "b" else np.array([])
    if outside.size:
        what = f"{printable(where)}: label {raw[outside[0]]} of sample {outside[0]} is out of range"
        if set(np.unique(raw).tolist()) <= {-1, 1}:
            raise SampleError(what, "Save the two classes -1 and 1 as 0 and 1.")
        values = " Values that may be below 0 are saved as floating-point numbers." if raw.min() < 0 else ""
        raise SampleError(what, remedy + values)
    return raw.astype(np.int64)


def are_class_numbers(labels: NDArray[Any] | None) -> bool:
    """Whether labels are one whole number a sample, by which samples can be chosen evenly."""
    return labels is not None and labels.ndim == 1 and bool((labels == np.round(labels)).all())


def drawn_twice(read: Callable[[NDArray[np.int64]], Samples], indices: NDArray[np.int64]) -> bool:
    """Whether two readings of samples differ, with other random numbers to draw."""
    readings = []
    for seed in (1, 2):
        with drawn_from(seed):
            readings.append(read(indices))
    return not np.array_equal(readings[0], readings[1])


def image_option(options: SampleOptions) -> str:
    """The first option that is for images alone; empty where none is given."""
    given = {
        "--gray": options.gray,
        "--rgb": options.rgb,
        "--transform": options.transform is not None,
        "--resize": options.resize is not None,
        "--center-crop": options.center_crop is not None,
    }
    return next((name for name, is_given in given.items() if is_given), "")


def to_gray(images: Samples, where: Path) -> Samples:
    """(n, H, W, C) to one channel by ITU-R BT.601, uint8 with the rounding that Pillow has.

    Raises:
        SampleError: the images have neither 1, 3 nor 4 channels.
    """
    if images.shape[-1] == 1:
        return images
    if images.shape[-1] not in (3, 4):
        raise SampleError(f"{printable(where)}: --gray needs 3 channels, not {images.shape[-1]}", "Leave --gray out.")
    if images.dtype == np.uint8:
        weighted = images[..., :3].astype(np.uint32) * np.asarray([19595, 38470, 7471], dtype=np.uint32)
        rounded: NDArray[np.uint8] = ((weighted.sum(axis=-1, keepdims=True) + 0x8000) >> 16).astype(np.uint8)
        return rounded
    weights = np.asarray([0.299, 0.587, 0.114], dtype=np.float32)
    luma: NDArray[np.float32] = (images[..., :3] * weights).sum(axis=-1, keepdims=True, dtype=np.float32)
    return luma


def to_rgb(images: Samples, where: Path) -> Samples:
    """(n, H, W, C) to three channels: gray ones three times, of four the first three, without the transparency.

    Raises:
        SampleError: the images have neither 1, 3 nor 4 channels.
    """
    if images.shape[-1] not in (1, 3, 4):
        raise SampleError(
            f"{printable(where)}: --rgb needs 1, 3 or 4 channels, not {images.shape[-1]}", "Leave --rgb out."
        )
    return thrice(images) if images.shape[-1] == 1 else images[..., :3]


def thrice(images: Samples) -> Samples:
    """(n, H, W, 1) as (n, H, W, 3)."""
    repeated: Any = np.repeat(images, 3, axis=-1)
    coloured: Samples = repeated
    return coloured


def normalisation(
    source: Source, options: SampleOptions, channels: int
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None, tuple[str, ...]]:
    """The mean and std to use, one value a channel each or None, and what to tell the user of it.

    Either of `--mean` and `--std` puts the preset aside; the other is then 0 or 1. A transform has its own preset.

    Raises:
        SampleError: neither one value nor one a channel is given, or they are in the units of the stored values, 0 to
            255, where these are divided first.
    """
    if options.mean is not None or options.std is not None:
        mean = _channel_values("--mean", options.mean or (0.0,), channels)
        std = _channel_values("--std", options.std or (1.0,), channels)
        if source.scale is not None:
            _refuse_stored_units(mean, std, options, source)
        own = options.transform is not None and options.transform.preset is None
        return mean, std, ("normalised by --mean and --std after all that --transform does itself",) if own else ()
    if source.mean is None or source.std is None:
        return None, None, ()
    if len(source.mean) != channels:
        return None, None, (f"the preset mean and std are for {len(source.mean)} channels and were not used",)
    values = " and ".join(", ".join(f"{value:g}" for value in part) for part in (source.mean, source.std))
    return source.mean, source.std, (f"normalised with the data set's mean and std: {values}",)


def _channel_values(option: str, values: Sequence[float], channels: int) -> tuple[float, ...]:
    if len(values) not in (1, channels):
        raise SampleError(f"{option}: {len(values)} values for {channels} channels", f"Give one value, or {channels}.")
    return tuple(map(float, values)) * (channels // len(values))


def _refuse_stored_units(
    mean: tuple[float, ...], std: tuple[float, ...], options: SampleOptions, source: Source
) -> None:
    """Refuse a mean outside of 0..1 and a deviation above 1, which samples between 0 and 1 cannot have."""
    if all(0 <= value <= 1 for value in mean) and max(std) <= 1:
        return
    scale = source.scale or 1.0
    given = [(name, values) for name, values in (("--mean", options.mean), ("--std", options.std)) if values]
    typed = " ".join(f"{name} {','.join(f'{value:g}' for value in values)}" for name, values in given)
    within = all(0 <= value <= scale for _, values in given for value in values)
    units = ((name, values, 1.0 if max(values) <= 1 else scale) for name, values in given)
    scaled = " ".join(f"{name} {','.join(f'{value / unit:.4g}' for value in values)}" for name, values, unit in units)
    raise SampleError(
        f"{typed}: the samples lie between 0 and 1 when these are used: their values are divided by {scale:g} first",
        f"Give {scaled}." if within else "Give the mean and the deviation of values between 0 and 1.",
    )
