"""What a net is trained and validated on: any source of samples, looked through before the first step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.data.sources import SOURCES, SampleOptions, is_code, open_source
from rfav_cli.data.sources.base import are_class_numbers, normalisation, only
from rfav_cli.errors import SampleError, UsageError
from rfav_cli.records import Note
from rfav_cli.text import printable
from rfav_cli.training.reading import look_through

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rfav_cli.data.sources.base import Samples, Source

MOST_LISTED = 20
ONCE = "they are read once where memory allows, and augmented anew each epoch by --augment alone"


@dataclass(frozen=True, eq=False)
class Part:
    """Samples for training or for validation, all of which could be read.

    Attributes:
        source: where they come from.
        rows: (n,) int64, their numbers in the source.
        labels: (n,) int64.
        images: (all of the source, C, H, W), (..., F) or (..., C, T), where they fit into memory; else None.
        mean, std: one value a channel, or None.
        digest: SHA-256 in hex of the samples and labels, in their order.
    """

    source: Source = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    images: Samples | None = field(repr=False)
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, indices: NDArray[np.int64]) -> Samples:
        """Samples of this part, by their place in it."""
        rows = self.rows[indices]
        return only(self.source.read(rows)) if self.images is None else self.images[rows]


def load_data(
    spec: Any,
    validation: Any,
    options: SampleOptions,
    *,
    seed: int,
    workers: int,
    skip_unreadable: bool,
    report: Callable[[Any], None],
) -> tuple[Part, Part | None]:
    """Open and look through what is to be trained and validated on.

    Args:
        spec: of the training data, or an object that gives them; a set with published splits gives its training split
            where none is named.
        validation: a share of the training data ("0" for none), or a specification or object of its own.
        options: how samples are read.
        seed: which samples the share takes.
        workers: threads that decode.
        skip_unreadable: skip what cannot be read, and tell of it.
        report: is told what the user should know.

    Raises:
        SampleError: there are none, they cannot be read, they have no labels, or both parts do not go together.
        UsageError: the share is none.
    """
    share = _share(validation)
    whole = _load(_training_split(spec), options, None, workers, skip_unreadable, report)
    spec = whole.source.name
    if share is None:
        held_out = _load(validation, options, whole, workers, skip_unreadable, report)
        return whole, held_out
    if share == 0:
        report(Note("no validation data (--validation 0): nothing is known of the held-out loss while this trains"))
        return whole, None
    chosen = stratified(whole.labels, share, seed)
    if not chosen.any():
        raise SampleError(
            f"--validation {validation}: no class of {printable(spec)} has enough samples to give one",
            "Give a larger share, a folder or file of validation samples, or 0 for none.",
        )
    return _part(whole, ~chosen), _part(whole, chosen)


def count_trained_on(training: Part, validation: Part) -> int:
    """How many validation samples are, value for value, among those that are trained on.

    Samples that do not fit into memory are compared as a whole: all of them, or none.
    """
    if training.digest == validation.digest:
        return len(validation)
    if not isinstance(training.images, np.ndarray) or not isinstance(validation.images, np.ndarray):
        return 0
    known = {sha256(sample.tobytes()).digest() for sample in training.images[training.rows]}
    return sum(sha256(sample.tobytes()).digest() in known for sample in validation.images[validation.rows])


def stratified(labels: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Choose a share of the samples, the same of each class as far as whole samples allow.

    Each class gives `share` of its samples rounded down, and the classes with the largest remainders one more, until
    the whole is the share of all, rounded; but no class gives its last sample. Within a class chance decides.

    Args:
        labels: (n,).
        share: between 0 and 1.
        seed: of PCG64, whose raw numbers are the same in every version of numpy.

    Returns:
        (n,) bool.
    """
    classes, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    wanted = share * counts
    taken = np.minimum(np.floor(wanted), counts - 1).astype(np.int64)
    more = round(share * len(labels)) - int(taken.sum())
    order = np.argsort(taken - wanted, kind="stable")
    able = [number for number in order if taken[number] < counts[number] - 1][: max(more, 0)]
    taken[able] += 1
    draws = np.random.PCG64(seed).random_raw(len(labels))
    chosen = np.zeros(len(labels), dtype=np.bool_)
    for number in range(len(classes)):
        rows = np.flatnonzero(members == number)
        chosen[rows[np.argsort(draws[rows], kind="stable")[: taken[number]]]] = True
    return chosen


def _share(validation: Any) -> float | None:
    """The share of the training data that a text or number says, or None where it is a specification or an object."""
    if not isinstance(validation, (str, int, float, np.number)):
        return None
    try:
        share = float(validation)
    except ValueError:
        return None
    if not 0 <= share < 1:
        raise UsageError(
            f"--validation {printable(validation)}: no share", "Give a number from 0 to below 1, or samples."
        )
    return share


def _training_split(spec: Any) -> Any:
    """`NAME:PATH#train` for `NAME:PATH` of a set with published splits; any other specification as it is."""
    if is_code(spec):
        return spec
    spec = str(spec)
    name, colon, path = spec.partition(":")
    if not colon or name not in SOURCES or ("#" in path and not Path(path).expanduser().exists()):
        return spec
    splits = import_module(f"rfav_cli.data.sources.{name.replace('-', '_')}").SPLITS
    return f"{spec}#train" if "train" in splits else spec


def _check_inputs(source: Source, spec: Any) -> None:
    """Refuse samples of which nothing tells what enters the net, or by which axes.

    Raises:
        SampleError: it cannot be told.
    """
    if source.unclear is not None:
        raise source.unclear
    if source.otherwise:
        raise SampleError(
            f"{printable(spec)}: the axes of its samples cannot be told",
            f"Give --layout nct, or {source.otherwise}.",
        )


def _check_class_numbers(source: Source, spec: Any) -> None:
    """Refuse labels of other tasks.

    Raises:
        SampleError: they are no class numbers.
    """
    if source.labels is None or (are_class_numbers(source.labels) and source.labels.dtype.kind != "f"):
        return
    raise SampleError(
        f"{printable(spec)}: labels {source.labels.dtype} of the shape {source.labels.shape} are no class numbers, "
        "and rfav trains nets that tell one class of each sample",
        "Give class numbers; train other nets in your own loop, with `rfav_cli.TargetedRegularizer` in its loss.",
    )


def _load(
    spec: Any,
    options: SampleOptions,
    training: Part | None,
    workers: int,
    skip_unreadable: bool,
    report: Callable[[Any], None],
) -> Part:
    """Look through all samples of a specification; those of validation data as the training data are."""
    source = open_source(spec, options, option="--data" if training is None else "--validation")
    _check_inputs(source, spec)
    if source.labels is None and not is_code(spec):
        raise _unlabelled(source)
    _check_class_numbers(source, spec)
    spec = source.name
    images, unreadable, digest = look_through(source, workers)
    if unreadable and not skip_unreadable:
        raise _unreadable(spec, unreadable)
    for text in (*source.notes, *(f"skipped: {what}" for what in unreadable.values())):
        report(Note(text))
    rows = np.setdiff1d(np.arange(len(source)), np.fromiter(unreadable, np.int64))
    if not len(rows):
        raise SampleError(f"{printable(spec)}: no sample can be read", "Give other samples.")
    labels = source.labels_of(rows)
    if labels is None:
        raise _unlabelled(source)
    if source.differs(rows[:2]):
        report(Note(f"{printable(spec)}: its samples differ from reading to reading; {ONCE}"))
    shape = only(source.read(rows[:1])).shape
    if training is None:
        mean, std, notes = normalisation(source, options, shape[1])
        for text in notes:
            report(Note(text))
        return Part(source, rows, labels, images, mean, std, digest)
    _check_alike(source, shape, training)
    labels = _like(labels, source, training.source)
    return Part(source, rows, labels, images, training.mean, training.std, digest)


def _unlabelled(source: Source) -> SampleError:
    return SampleError(
        f"{printable(source.name)}: the samples have no labels, and a net is trained to give them",
        "Give a folder with a sub-folder a class, a file with an array 'labels', or a data set of (x, y).",
    )


def _check_alike(source: Source, shape: tuple[int, ...], training: Part) -> None:
    """Refuse validation data that enter the net otherwise than those that are trained on."""
    wanted = only(training.source.read(training.rows[:1])).shape
    if shape != wanted:
        held_out, trained = ("x".join(map(str, sizes[1:])) for sizes in (shape, wanted))
        raise SampleError(
            f"--validation {printable(source.name)}: samples of {held_out}, but those to train on are {trained}",
            "Give --resize or --gray, or other samples.",
        )
    if source.as_is != training.source.as_is:
        ready, plain = (source, training.source) if source.as_is else (training.source, source)
        raise SampleError(
            f"{printable(ready.name)} comes as it enters the net, but {printable(plain.name)} does not",
            "Give both as files, or both as data sets of your code.",
        )


def _unreadable(spec: str, unreadable: dict[int, str]) -> SampleError:
    listed = [*unreadable.values()][:MOST_LISTED]
    more = len(unreadable) - len(listed)
    lines = [*listed, *([f"and {more} more"] if more else [])]
    return SampleError(
        f"{printable(spec)}: {len(unreadable)} sample{'s' if len(unreadable) > 1 else ''} cannot be read",
        "\n".join([*lines, "Put them right, or give --skip-unreadable to go on without them."]),
    )


def _like(labels: NDArray[np.int64], source: Source, training: Source) -> NDArray[np.int64]:
    """The labels of validation data in the order of the training data's classes, told by their names."""
    if not source.classes or not training.classes or source.classes == training.classes:
        return labels
    unknown = [name for name in source.classes if name not in training.classes]
    if unknown:
        raise SampleError(
            f"--validation {printable(source.name)}: has classes that {printable(training.name)} has not: "
            f"{printable(', '.join(unknown))}",
            "Give validation samples of the classes that are trained.",
        )
    order: Sequence[int] = [training.classes.index(name) for name in source.classes]
    return np.asarray(order, dtype=np.int64)[labels]


def _part(whole: Part, chosen: NDArray[np.bool_]) -> Part:
    return replace(whole, rows=whole.rows[chosen], labels=whole.labels[chosen])
