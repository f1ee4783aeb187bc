"""Which task a net has, told from its output and the labels of the probe."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.errors import SampleError
from rfav_cli.records.tasks import AUTO, TASKS
from rfav_cli.statistics.tasks import task_of
from rfav_cli.statistics.tasks.base import UnfitLabelsError, are_flags, whole
from rfav_cli.statistics.tasks.classes import are_one_hot
from rfav_cli.statistics.tasks.pixels import BORDER, IGNORED, class_axis
from rfav_cli.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.statistics.tasks.base import Shape

MOST_ROWS, ROUNDING = 0.999, 1e-3
"""Share of rows of labels that sum to 1 from which they are probabilities of classes, and how far they may be off."""


@dataclass(frozen=True, eq=False)
class ToldTask:
    """A task, and the labels in the form that it computes with.

    Attributes:
        name: of `records.tasks`.
        labels: (N, ...).
        notes: what the user should be told: what is no matter of course.
    """

    name: str
    labels: NDArray[Any]
    notes: tuple[str, ...] = ()


def tell_task(raw: NDArray[Any], shape: Shape, asked: str, where: str, *, own: bool = False) -> ToldTask | None:
    """Tell the task of a net.

    Args:
        raw: (N, ...) labels, as `check_labels` gives them.
        shape: of a sample's output.
        asked: what the user said, or `AUTO`.
        where: the samples are from, for messages.
        own: there is a loss of the user's own, which takes any labels.

    Returns:
        None where the labels are classes, and the output is something else than scores of them.

    Raises:
        SampleError: the labels fit the output in no way, or not for the task that was asked for.
    """
    if asked == "other" and not own:
        raise SampleError("--task other: has no loss of its own", "Give one with --loss.")
    name, why = (asked, "") if asked != AUTO else _told(raw, shape)
    try:
        if name == "classes" and asked == AUTO and not task_of(name).reads(shape):
            return ToldTask("other", raw) if own else None
        if not name:
            raise UnfitLabelsError(f"labels {_described(raw)} fit an output {_listed(shape)} a sample in no way")
        labels = _fitted(name, raw, shape)
    except UnfitLabelsError as error:
        if own and asked == AUTO:
            return ToldTask("other", raw)
        asks = f"For --task {name}, labels are {TASKS[name].asks}." if name else _remedy(raw)
        raise SampleError(f"{printable(where)}: {error}", asks) from None
    said = [] if not why else [_note(name, why, own=own)]
    return ToldTask(name, labels, (*said, *_on_pixels(name, labels, shape)))


def _fitted(name: str, raw: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """The labels in the form of a task, which must be one of such an output."""
    task = task_of(name)
    if not task.reads(shape):
        raise UnfitLabelsError(f"an output {_listed(shape)} a sample is none of the task {name}")
    return task.labels(raw, shape)


def _told(raw: NDArray[Any], shape: Shape) -> tuple[str, str]:
    """The name of the task, empty where it cannot be told, and why it is that where it is no matter of course."""
    if raw.ndim == 1 and math.prod(shape) == 1:
        return _of_one_number(raw)
    if raw.ndim == 1:
        floats = "labels are whole numbers, saved as floating-point ones" if raw.dtype.kind == "f" else ""
        return ("classes", floats) if whole(raw) else ("", "")
    if raw.ndim == 2 and raw.shape[1:] == shape:
        return _of_rows(raw)
    if raw[0].size == math.prod(shape):
        return _of_as_many_numbers(raw, shape)
    if whole(raw) and len(shape) > 1:
        return "pixels", f"labels are a whole number a position, for an output {_listed(shape)} a sample"
    return "", ""


def _of_one_number(raw: NDArray[Any]) -> tuple[str, str]:
    """Of labels (N,) for an output of one number."""
    if are_flags(raw):
        return "binary", "the net gives one score, and labels are 0 or 1"
    if set(np.unique(raw).tolist()) <= {-1, 1}:
        return "", ""
    kind = "whole" if raw.dtype.kind in "iu" else "floating-point"
    return "regression", f"the net gives one number, and labels are {kind} numbers"


def _of_rows(raw: NDArray[Any]) -> tuple[str, str]:
    """Of labels (N, K) for an output (N, K)."""
    if are_one_hot(raw):
        return "classes", "each row of labels has a single 1 (one-hot)"
    if are_flags(raw):
        return "multilabel", "labels are 0 or 1 for each output"
    if raw.dtype.kind == "f" and (raw >= 0).all() and (np.abs(raw.sum(1) - 1) < ROUNDING).mean() > MOST_ROWS:
        return "", ""  # probabilities of classes, of which the squared error is no usual loss
    return "regression", "labels are as many numbers as the net gives"


def _of_as_many_numbers(raw: NDArray[Any], shape: Shape) -> tuple[str, str]:
    """Of labels (N, ...) for an output of positions with as many numbers."""
    several = raw.shape[1:] == shape and len(shape) > 2 and shape[0] > 1
    if several and are_one_hot(raw):
        return "pixels", "labels have a single 1 at each position (one-hot)"
    if several and are_flags(raw):
        return "multilabel", "labels are 0 or 1 for each number of the output"
    if not several and whole(raw) and set(np.unique(raw).tolist()) <= {0, 1, BORDER, -1, -100}:
        return "pixels", "the net gives one score a position, and labels are 0 or 1"
    return "regression", "labels are as many numbers as the net gives"


def _on_pixels(name: str, labels: NDArray[Any], shape: Shape) -> list[str]:
    """What is to be said of masks: what has no label, and scores of another resolution."""
    if name != "pixels":
        return []
    share = float((labels == IGNORED).mean())
    notes = [f"{share:.1%} of the pixels have no label (255, or below 0) and do not count"] if share else []
    axis = class_axis(shape, labels.shape[1:])
    if axis == 0 and shape[1:] != labels.shape[1:]:
        sizes = [" x ".join(map(str, size)) for size in (shape[1:], labels.shape[1:])]
        notes.append(f"the scores, of {sizes[0]}, are enlarged to the {sizes[1]} of the masks, bilinearly")
    return notes


def _note(name: str, why: str, *, own: bool) -> str:
    loss = "" if own else f", with the {TASKS[name].loss} as its loss"
    return f"{why}: taken as the task {name}{loss} (--task says otherwise)"


def _remedy(raw: NDArray[Any]) -> str:
    if raw.ndim == 1 and raw.min() < 0:
        return "Save two classes as 0 and 1; or give --task regression, or a loss of your own with --loss."
    return (
        "Save class numbers from 0 on, 0 or 1 for two classes or for tags, or values in the output's shape; or give "
        "--task, or a loss of your own with --loss."
    )


def _described(raw: NDArray[Any]) -> str:
    kind = "whole" if raw.dtype.kind in "iub" else "floating-point"
    low, high = float(raw.min()), float(raw.max())
    return f"(N{''.join(f', {length}' for length in raw.shape[1:])}) of {kind} numbers from {low:g} to {high:g}"


def _listed(shape: Shape) -> str:
    return "of one number" if math.prod(shape) == 1 else f"of {' x '.join(map(str, shape))}"
