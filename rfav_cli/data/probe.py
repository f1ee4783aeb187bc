"""The probe: the held-out samples that every checkpoint of a run is measured on, the same ones each time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli import remote
from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.data.sources.base import WORDS, are_class_numbers, normalisation
from rfav_cli.errors import SampleError
from rfav_cli.records import ProbeRecord
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.data.sources.base import Labels, Samples, Source


@dataclass(frozen=True, eq=False)
class Probe:
    """The chosen samples, as they are before normalisation.

    Attributes:
        images: (N, C, H, W) uint8 or float32; (N, F) or (N, C, T) float32 for vectors and sequences.
        labels: (N, ...), as `check_labels` gives them, or once the task is known as it computes with them; or None.
        classes: the names of the classes in the order of the labels; empty where there are none.
        mean, std: one value a channel, in the units of the net's input before normalisation (0..1 for uint8); or None.
        thumbnails: (M, H, W, 1 or 3) uint8, the first M images to look at; None where there is nothing to see.
        sha256: digest of all that decides what enters the net, and of the labels.
        source: the specification that the user gave.
        notes: what the user should be told once.
        alphabetical: the labels are the places of folders' names in the alphabet; see `Source`.
        empty: names of classes without samples, as far as they are seen.
        recolour: reads the same samples with three channels where they are images of one or four, and with one where
            they have three; None where the user has chosen, or they are no such images.
    """

    images: Samples = field(repr=False)
    labels: Labels | None = field(repr=False)
    classes: tuple[str, ...]
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    thumbnails: NDArray[np.uint8] | None = field(repr=False)
    sha256: str
    source: str
    notes: tuple[str, ...] = ()
    alphabetical: bool = False
    empty: tuple[str, ...] = ()
    recolour: Callable[[], Probe] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, rows: slice, device: torch.device, *, channels_last: bool = False) -> Tensor:
        """Samples as they enter the net: float32, normalised, in the memory format that it takes (`to_input`).

        The tensor shares no memory with the probe, so a net may work on it in place.
        """
        samples = torch.from_numpy(self.images[rows]).to(device)
        return to_input(samples, self.mean, self.std, channels_last=channels_last)

    def record(self) -> ProbeRecord:
        """What the store keeps; labels of positions are not among it."""
        labels = None if self.labels is None or self.labels.ndim > 2 else self.labels
        return ProbeRecord(self.sha256, len(self), labels, self.thumbnails, self.source)


def load_probe(
    spec: str, *, size: int = 1000, seed: int = 0, options: SampleOptions | None = None, thumbnails: int = 32
) -> Probe:
    """Choose samples and read them.

    Args:
        spec: where they are; see `open_source`.
        size: N, how many.
        seed: which; the same seed chooses the same samples of the same files, on every machine.
        options: how they are read.
        thumbnails: M, how many of the first are kept to look at.

    Raises:
        SampleError: there are no such samples, they cannot be read, or an option does not fit them.
    """
    options = options or SampleOptions()
    for name, value, least in (("--probe-size", size, 1), ("--seed", seed, 0), ("--maps", thumbnails, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise SampleError(f"{name} {printable(value)}: out of range", f"Give a whole number from {least} on.")
    source = open_source(spec, options)
    rows = choose(len(source), source.labels, size, seed)
    images = source.read(rows)
    labels = None if source.labels is None else _widened(source.labels[rows])
    if _means_colour(source, options, images.shape[1]):
        said = "--mean and --std have a value for each of three channels, so gray images are read with three (--rgb)"
        coloured = load_probe(spec, size=size, seed=seed, options=replace(options, rgb=True), thumbnails=thumbnails)
        return replace(coloured, notes=(*coloured.notes, said))
    mean, std, notes = normalisation(source, options, images.shape[1])
    if len(source) < size:
        notes = (
            f"took all {len(source)} samples of {printable(remote.shown(spec))}, fewer than --probe-size {size}",
            *notes,
        )
    recolour = None
    if source.is_image and images.shape[1] in (1, 3, 4) and not (options.gray or options.rgb):
        other = replace(options, rgb=images.shape[1] != 3, gray=images.shape[1] == 3)
        recolour = partial(load_probe, spec, size=size, seed=seed, options=other, thumbnails=thumbnails)
    return Probe(
        images=images,
        labels=labels,
        classes=source.classes,
        mean=mean,
        std=std,
        thumbnails=draw(images[:thumbnails]) if source.is_image and thumbnails else None,
        sha256=digest(images, labels, mean, std),
        source=remote.shown(spec),
        notes=(*source.notes, *notes, *_units(source, images, mean, std)),
        alphabetical=source.alphabetical,
        empty=source.empty,
        recolour=recolour,
    )


def _widened(labels: Labels) -> Labels:
    """Labels of chosen samples as int64 or float64; those of positions, which are many, as they are."""
    return labels if labels.ndim > 2 else labels.astype(np.float64 if labels.dtype.kind == "f" else np.int64)


def _means_colour(source: Source, options: SampleOptions, channels: int) -> bool:
    """Whether gray images are given with a mean or deviation for each of three channels."""
    values = max(len(options.mean or ()), len(options.std or ()))
    return source.is_image and channels == 1 and values == 3 and not options.gray


def _units(
    source: Source, images: Samples, mean: tuple[float, ...] | None, std: tuple[float, ...] | None
) -> tuple[str, ...]:
    """What the user should be told of the units of images that are not bytes."""
    if images.dtype != np.float32 or not source.is_image:
        return ()
    highest = float(images.max())
    if source.scale == WORDS:
        return (_words_note(round(highest * WORDS), mean or (0.0,), std or (1.0,)),)
    if mean is not None or highest <= 16:
        return ()
    return (f"floating-point images up to {highest:g} are taken as they are; only whole numbers are scaled",)


def _words_note(highest: int, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    """What pixels of 16 bits are divided by; where the highest fills fewer bits, what else suits.

    A mean and deviation that are as small as such pixels are taken for those of these pixels.
    """
    note = f"pixels of 16 bits are divided by {WORDS:g}"
    full = (1 << highest.bit_length()) - 1
    part = full / WORDS
    if not 0 < full < 1 << 15 or max(*mean, *std) <= part * 1.01:
        return note
    values = [("--std", std)] if not any(mean) else [("--mean", mean), ("--std", std)]
    given = " ".join(f"{name} {','.join(f'{value * part:.7g}' for value in numbers)}" for name, numbers in values)
    return f"{note}; the highest is {highest}, so where the net was trained on pixels divided by {full}, give {given}"


def choose(count: int, labels: Labels | None, size: int, seed: int) -> NDArray[np.int64]:
    """Choose samples, as many of each class as there can be.

    Each sample draws a number; a class gives its samples in the order of these, one a round, until there are enough.
    The last round, where it is not for all, goes to the classes with the lowest numbers.

    Args:
        count: how many samples there are.
        labels: (count, ...); where they are not one whole number each, or None, all are taken as of one class.
        size: how many to choose.
        seed: of PCG64, whose raw numbers are the same in every version of numpy, unlike those of `Generator`.

    Returns:
        (min(size, count),) sample numbers, a round after the other, each in the order of the labels.
    """
    draws = np.random.PCG64(seed).random_raw(count)
    labels = labels if labels is not None and are_class_numbers(labels) else np.zeros(count, dtype=np.int64)
    by_class = np.lexsort((draws, labels))
    _, starts, counts = np.unique(labels[by_class], return_index=True, return_counts=True)
    rounds = np.empty(count, dtype=np.int64)
    rounds[by_class] = np.arange(count) - np.repeat(starts, counts)
    chosen = np.lexsort((draws, rounds))[:size]
    return chosen[np.lexsort((draws[chosen], labels[chosen], rounds[chosen]))]


def to_input(
    samples: Tensor, mean: tuple[float, ...] | None, std: tuple[float, ...] | None, *, channels_last: bool = False
) -> Tensor:
    """Samples as they enter a net, by the operations of torchvision's ToTensor and Normalize, so to the same bits.

    Args:
        samples: (n, C, ...); uint8 is divided by 255, floating-point values are taken as they are.
        mean: one value a channel, or None.
        std: one value a channel, or None.
        channels_last: lay (n, C, H, W) out in that memory format.

    Returns:
        (n, C, ...) float32, a copy.
    """
    layout = torch.channels_last if channels_last and samples.ndim == 4 else torch.contiguous_format
    values = samples.to(torch.float32, copy=True, memory_format=layout)
    if samples.dtype == torch.uint8:
        values.div_(255)
    if mean is not None and std is not None:
        ones = (1,) * (samples.ndim - 2)
        values.sub_(torch.tensor(mean, device=values.device).view(-1, *ones))
        values.div_(torch.tensor(std, device=values.device).view(-1, *ones))
    return values


def draw(images: Samples) -> NDArray[np.uint8] | None:
    """(M, C, H, W) as pictures (M, H, W, 1 or 3) uint8: of 4 channels the first three, of 2 the first; None above 4.

    Floating-point values are stretched so that the least of all M images is black and the greatest white.
    """
    channels = images.shape[1]
    if channels > 4:
        return None
    pictures = np.ascontiguousarray(images[:, : 3 if channels >= 3 else 1].transpose(0, 2, 3, 1))
    if pictures.dtype == np.uint8:
        return pictures.astype(np.uint8)
    low, high = float(pictures.min()), float(pictures.max())
    return np.rint((pictures - low) * (255 / ((high - low) or 1.0))).astype(np.uint8)


def digest(
    images: Samples, labels: Labels | None, mean: tuple[float, ...] | None, std: tuple[float, ...] | None
) -> str:
    """SHA-256 in hex of what enters the net: shape, type, mean, std, then labels and values, little-endian."""
    head: dict[str, Any] = {
        "shape": images.shape,
        "dtype": images.dtype.name,
        "labels": labels is not None,
        "mean": mean,
        "std": std,
    }
    sha = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    of_labels = [] if labels is None else [(labels, np.dtype("<f8" if labels.dtype.kind == "f" else "<i8"))]
    for values, kind in (*of_labels, (images, images.dtype.newbyteorder("<"))):
        for start in range(0, len(values), 64):
            sha.update(values[start : start + 64].astype(kind).tobytes())
    return sha.hexdigest()


def check_fits(probe: Probe, outputs: int) -> tuple[str, ...]:
    """Refuse labels that cannot be the numbers of a net's outputs.

    Args:
        probe: the samples.
        outputs: C, how many scores the net gives.

    Returns:
        What the user should be told.

    Raises:
        SampleError: a label is C or above; class folders, which are numbered by the alphabet, are fewer than C, so that
            a missing one shifts all after it; or `--classes` names more than C.
    """
    if probe.labels is None:
        return ()
    where, net = printable(probe.source), f"the {outputs} outputs of the net"
    top, count = int(probe.labels.max()), len(probe.classes)
    if top >= outputs:
        raise _beyond(probe, top, outputs)
    if probe.alphabetical and count < outputs:
        empty = f" ({printable(', '.join(probe.empty))}: no images in there)" if probe.empty else ""
        folders = "1 class folder" if count == 1 else f"{count} class folders"
        raise SampleError(
            f"{where}: {folders}{empty} for {net}: a class that is missing shifts the labels after it",
            f"Give --classes FILE, a text file that names the net's {outputs} classes in the order of its outputs, "
            "one a line.",
        )
    if count > outputs and not probe.alphabetical:
        raise SampleError(f"{where}: {count} classes for {net}", "Give samples of the classes that the net knows.")
    seen = len(np.unique(probe.labels))
    if seen < min(outputs, len(probe)):
        classes = "1 class" if seen == 1 else f"{seen} classes"
        return (f"the probe has samples of {classes}, for {net}",)
    return ()


def _beyond(probe: Probe, top: int, outputs: int) -> SampleError:
    where, named = printable(probe.source), ""
    if top < len(probe.classes):
        named = f" ({printable(probe.classes[top])})"
    elif top == outputs and probe.labels is not None and probe.labels.min() == 1:
        return SampleError(
            f"{where}: labels from 1 to {top} for the {outputs} outputs of the net: are they numbered from 1?",
            "The net's first output is label 0: if so, subtract 1 from every label.",
        )
    return SampleError(
        f"{where}: label {top}{named} is beyond the {outputs} outputs of the net",
        "Give samples of the classes that the net knows, or their order with --classes.",
    )
