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
from rfav_cli.chance import drawn_from
from rfav_cli.data.drawn import doubts_of_chance
from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.data.sources.base import are_class_numbers, normalisation
from rfav_cli.data.unit_notes import notes_of_units
from rfav_cli.errors import SampleError
from rfav_cli.inputs import Together
from rfav_cli.records import ProbeRecord
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.data.sources.base import Arrays, Samples, Source
    from rfav_cli.data.units import Labels
    from rfav_cli.inputs import Inputs
    from rfav_cli.records import Doubt


@dataclass(frozen=True, eq=False)
class Probe:
    """The chosen samples, as they are before normalisation.

    Attributes:
        inputs: (N, C, H, W) uint8 or float32; (N, F) or (N, C, T) float32 for vectors and sequences; (N, T) int64 for
            token ids. Of several inputs a dict by the names of the arguments of the net's forward.
        labels: (N, ...), as `check_labels` gives them, or once the task is known as it computes with them; or None.
        classes: the names of the classes in the order of the labels; empty where there are none.
        mean, std: one value a channel, in the units of the net's input before normalisation (0..1 for uint8); or None.
        thumbnails: (M, H, W, 1 or 3) uint8, the first M images to look at; None where there is nothing to see.
        sha256: digest of all that decides what enters the net, and of the labels.
        source: the specification that the user gave.
        notes: what the user should be told once.
        alphabetical: the labels are the places of folders' names in the alphabet; see `Source`.
        empty: names of classes without samples, as far as they are seen.
        doubts: why these may not be the samples that are meant.
        recolour: reads the same samples with three channels where they are images of one or four, and with one where
            they have three; None where the user has chosen, or they are no such images.
        image: of several inputs the one that is images: mean, std and thumbnails are of it alone; empty for none.
        axis: where the channels are.
        main: what the array is called that the one input is read from; empty where it has no name.
        others, unclear, whole, otherwise: see `Source`.
        as_is: see `Source`.
        together: the net takes its several inputs as one argument, a dict.
        reread: reads the same samples with other values of `SampleOptions`; None where that cannot be.
    """

    inputs: Arrays = field(repr=False)
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
    doubts: tuple[Doubt, ...] = ()
    recolour: Callable[[], Probe] | None = field(default=None, repr=False)
    image: str = ""
    axis: int = 1
    main: str = field(default="", repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)
    unclear: SampleError | None = field(default=None, repr=False)
    whole: bool = field(default=False, repr=False)
    otherwise: str = field(default="", repr=False)
    as_is: bool = False
    together: bool = field(default=False, repr=False)
    reread: Callable[..., Probe] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def arrays(self) -> dict[str, Samples]:
        """The inputs by their names; one alone has the empty name."""
        return self.inputs if isinstance(self.inputs, dict) else {"": self.inputs}

    def batch(self, rows: slice, device: torch.device, *, channels_last: bool = False) -> Inputs:
        """Samples as they enter the net: normalised, in the memory format that it takes (`to_input`).

        The tensors share no memory with the probe, so a net may work on them in place.
        """
        if isinstance(self.inputs, dict):
            inputs = {name: self._input(name, array[rows], device) for name, array in self.inputs.items()}
            return Together(inputs) if self.together else inputs
        samples = torch.from_numpy(self.inputs[rows]).to(device)
        return to_input(samples, self.mean, self.std, channels_last=channels_last, axis=self.axis)

    def with_inputs(self, inputs: Arrays, *notes: str) -> Probe:
        """The same samples, of which something else enters the net."""
        sha256 = digest(inputs, self.labels, self.mean, self.std)
        return replace(self, inputs=inputs, sha256=sha256, notes=(*self.notes, *notes))

    def record(self) -> ProbeRecord:
        """What the store keeps; labels of positions are not among it."""
        labels = None if self.labels is None or self.labels.ndim > 2 else self.labels
        inputs = tuple(self.inputs) if isinstance(self.inputs, dict) else ()
        return ProbeRecord(self.sha256, len(self), labels, self.thumbnails, self.source, inputs)

    def _input(self, name: str, samples: Samples, device: torch.device) -> Tensor:
        """One of several inputs."""
        mean, std = (self.mean, self.std) if name == self.image else (None, None)
        return to_input(torch.from_numpy(samples).to(device), mean, std)


def load_probe(
    spec: Any,
    *,
    size: int = 1000,
    seed: int = 0,
    options: SampleOptions | None = None,
    thumbnails: int = 32,
    option: str = "--probe",
) -> Probe:
    """Choose samples and read them.

    What their code draws at random follows from nothing but a seed of its own, and leaves no trace.

    Args:
        spec: where they are, or the object; see `open_source`.
        size: N, how many.
        seed: which; the same seed chooses the same samples of the same files, on every machine.
        options: how they are read.
        thumbnails: M, how many of the first are kept to look at.
        option: that the samples were given with, for messages.

    Raises:
        SampleError: there are no such samples, they cannot be read, or an option does not fit them.
    """
    options = options or SampleOptions()
    for name, value, least in (("--probe-size", size, 1), ("--seed", seed, 0), ("--maps", thumbnails, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise SampleError(f"{name} {printable(value)}: out of range", f"Give a whole number from {least} on.")

    def again(**changes: Any) -> Probe:
        changed = replace(options, **changes)
        return load_probe(spec, size=size, seed=seed, options=changed, thumbnails=thumbnails, option=option)

    with drawn_from(0):
        source = open_source(spec, options, option=option, most=size)
        return probe_of(source, size=size, seed=seed, options=options, thumbnails=thumbnails, again=again)


def probe_of(
    source: Source,
    *,
    size: int = 1000,
    seed: int = 0,
    options: SampleOptions,
    thumbnails: int = 32,
    again: Callable[..., Probe] | None = None,
) -> Probe:
    """Choose samples of a source and read them.

    Args:
        source: where they are.
        size: see `load_probe`, as for the next three.
        seed: which.
        options: how they are read.
        thumbnails: how many are kept to look at.
        again: does the same with other values of `SampleOptions`; None where that cannot be.

    Raises:
        SampleError: they cannot be read, or an option does not fit them.
    """
    rows = choose(len(source), source.labels, size, seed)
    inputs = source.read(rows)
    labels = _widened(source.labels_of(rows))
    normed = inputs.get(source.image) if isinstance(inputs, dict) else inputs
    if again and normed is not None and _means_colour(source, options, normed.shape[1]):
        said = "--mean and --std have a value for each of three channels, so gray images are read with three (--rgb)"
        coloured = again(rgb=True)
        return replace(coloured, notes=(*coloured.notes, said))
    mean, std, notes = _normalisation(source, options, normed)
    if len(source) < size:
        told = printable(remote.shown(source.name))
        notes = (f"took all {len(source)} samples of {told}, fewer than --probe-size {size}", *notes)
    recolour, seen = None, normed if source.is_image else None
    if again and seen is not None and _has_colours(source, options, seen.shape[1]):
        recolour = partial(again, rgb=seen.shape[1] != 3, gray=seen.shape[1] == 3)
    return Probe(
        inputs=inputs,
        labels=labels,
        classes=source.classes,
        mean=mean,
        std=std,
        thumbnails=draw(seen[:thumbnails]) if seen is not None and thumbnails else None,
        sha256=digest(inputs, labels, mean, std),
        source=remote.shown(source.name),
        notes=(*source.notes, *notes, *([] if seen is None else notes_of_units(source, seen, mean, std))),
        alphabetical=source.alphabetical,
        empty=source.empty,
        doubts=doubts_of_chance(source, rows),
        recolour=recolour,
        image=source.image,
        axis=source.axis,
        as_is=source.as_is,
        main=source.main,
        others=source.others,
        unclear=source.unclear,
        whole=source.whole,
        otherwise=source.otherwise,
        reread=again,
    )


def _widened(labels: Labels | None) -> Labels | None:
    """Labels of chosen samples as int64 or float64; those of positions, which are many, as they are."""
    if labels is None or labels.ndim > 2:
        return labels
    return labels.astype(np.float64 if labels.dtype.kind == "f" else np.int64)


def _has_colours(source: Source, options: SampleOptions, channels: int) -> bool:
    """Whether the same images could be read with another number of channels."""
    chosen = options.gray or options.rgb or source.as_is
    return source.is_image and channels in (1, 3, 4) and not chosen


def _normalisation(
    source: Source, options: SampleOptions, normed: Samples | None
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None, tuple[str, ...]]:
    """The mean and std of the input that has any, and notes.

    Raises:
        SampleError: they are given, and there is no such input.
    """
    if normed is not None and normed.dtype.kind in "uf":
        return normalisation(source, options, normed.shape[source.axis])
    if options.mean is not None or options.std is not None:
        raise SampleError(
            f"{printable(source.name)}: --mean and --std are for numbers, or for the one input that is images",
            "Leave them out, or save the samples as they enter the net.",
        )
    return None, None, ()


def _means_colour(source: Source, options: SampleOptions, channels: int) -> bool:
    """Whether gray images are given with a mean or deviation for each of three channels."""
    values = max(len(options.mean or ()), len(options.std or ()))
    return source.is_image and channels == 1 and values == 3 and not (options.gray or source.as_is)


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
    samples: Tensor,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    *,
    channels_last: bool = False,
    axis: int = 1,
) -> Tensor:
    """Samples as they enter a net, by the operations of torchvision's ToTensor and Normalize, so to the same bits.

    Args:
        samples: (n, C, ...); uint8 is divided by 255, other numbers are taken as they are.
        mean: one value a channel, or None.
        std: one value a channel, or None.
        channels_last: lay (n, C, H, W) out in that memory format.
        axis: where the channels are.

    Returns:
        (n, C, ...) float32, a copy; whole numbers and truths stay so.
    """
    if samples.dtype in (torch.int64, torch.bool):
        return samples.clone()
    layout = torch.channels_last if channels_last and samples.ndim == 4 else torch.contiguous_format
    values = samples.to(torch.float32, copy=True, memory_format=layout)
    if samples.dtype == torch.uint8:
        values.div_(255)
    if mean is not None and std is not None:
        ones = (1,) * (samples.ndim - 1 - axis)
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


def digest(inputs: Arrays, labels: Labels | None, mean: tuple[float, ...] | None, std: tuple[float, ...] | None) -> str:
    """SHA-256 in hex of what enters the net: shape, type, mean, std, then labels and values, little-endian.

    Of several inputs their names as well, and each in turn.
    """
    several = isinstance(inputs, dict)
    arrays = list(inputs.values()) if isinstance(inputs, dict) else [inputs]
    shapes, types = [array.shape for array in arrays], [array.dtype.name for array in arrays]
    head: dict[str, Any] = {
        "shape": shapes if several else shapes[0],
        "dtype": types if several else types[0],
        "labels": labels is not None,
        "mean": mean,
        "std": std,
    }
    if isinstance(inputs, dict):
        head["inputs"] = list(inputs)
    sha = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    of_labels = [] if labels is None else [(labels, np.dtype("<f8" if labels.dtype.kind == "f" else "<i8"))]
    of_arrays = [(array, array.dtype.newbyteorder("<")) for array in arrays]
    for values, kind in (*of_labels, *of_arrays):
        for start in range(0, len(values), 64):
            sha.update(values[start : start + 64].astype(kind).tobytes())
    return sha.hexdigest()
