"""Which checkpoint of a run to keep, and what each measure says of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rfav_cli.diagnosis.best import Choice, choose, guards_of
from rfav_cli.diagnosis.divergence import is_sound
from rfav_cli.text import figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfav_cli.diagnosis.best import Course
    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import Best, Checkpoint, History, Verdict
    from rfav_cli.records.advice import Measure

SHOWN = {"accuracy": "{:.1%}", "loss": "{:.3f}", "calibrated loss": "{:.3f}"}
"""How a measure is told: losses in nats."""


@dataclass(frozen=True, eq=False)
class Kept:
    """The checkpoint that is kept.

    Attributes:
        row: its place among the epochs.
        checkpoint: its file.
        by: the measure that it goes by, "" without labels.
        is_better: it is kept in place of a later one.
        measured: the courses.
        best: of each.
    """

    row: int
    checkpoint: Checkpoint
    by: Measure | Literal[""]
    is_better: bool
    measured: Mapping[Measure, Course]
    best: tuple[Best, ...]


def candidates(history: History, verdict: Verdict) -> list[int]:
    """The trained epochs that a checkpoint can be kept of: what was measured is finite, and it came before a break."""
    sound, run = is_sound(history), verdict.run
    ends = run.onset.epoch if run.state in {"broken", "diverged"} and run.onset else math.inf
    return [row for row, epoch in enumerate(history.epochs) if sound[row] and 0 <= epoch < ends]


def find_kept(
    history: History,
    verdict: Verdict,
    thresholds: Thresholds,
    measured: Mapping[Measure, Course],
    best: tuple[Best, ...],
) -> Kept | None:
    """None where the net has learned nothing, nothing can be said, or no checkpoint is left."""
    guards = guards_of(measured)
    rows = [row for row in candidates(history, verdict) if all(np.isfinite(course.values[row]) for course in guards)]
    if not rows or verdict.run.state in {"not learning", "unknown"}:
        return None
    overfits = verdict.run.state == "overfitting"
    if overfits and not measured:
        return None  # without labels the last cannot be told from those before
    lost = verdict.run.kind == "lost knowledge"
    choice = choose(measured, rows, thresholds.certainty, lost=lost) if measured else Choice(rows[-1], "")
    by = choice.by or (guards[0].measure if guards else next(iter(measured), ""))
    return Kept(choice.row, history.checkpoints[choice.row], by, bool(choice.by), measured, best)


def keep_words(history: History, verdict: Verdict, kept: Kept) -> str:
    """Which checkpoint to keep, and what each measure says of it."""
    last, epoch = int(history.epochs[-1]), kept.checkpoint.epoch
    place = f"epoch {epoch} ({kept.checkpoint.path})"
    ended = verdict.run.state in {"broken", "diverged"}
    if not kept.measured:
        why = "the last before that" if ended else "the last: without labels no other can be told to be better"
        return f"Keep the checkpoint of {place}, {why}."
    figures = _figures(kept, kept.row)
    if ended:
        return f"Keep the checkpoint of {place}, from before that: {figures}."
    if epoch == last:
        return f"Keep the last checkpoint, {place}: {figures}. {_why_last(kept)}".rstrip()
    others = [course.title for course in guards_of(kept.measured) if course.measure != kept.by]
    no_worse = f", and no worse by {' and '.join(others)}" if others else ""
    why = f"It is better than the last by {_title(kept)}{no_worse} ({_figures(kept, len(history) - 1)})."
    return f"Keep the checkpoint of {place}: {figures}. {why} {_disagreement(kept)}".rstrip()


def _figures(kept: Kept, row: int) -> str:
    return ", ".join(f"{course.title} {_shown(name, course.values[row])}" for name, course in kept.measured.items())


def _title(kept: Kept) -> str:
    return kept.measured[kept.by].title if kept.by else ""


def _shown(measure: str, value: float) -> str:
    return figure(value, SHOWN[measure]) if math.isfinite(value) else "not finite"


def _why_last(kept: Kept) -> str:
    """That others are no better for sure, and what going back to the lowest loss would cost."""
    words = ["No other is better for sure."] if not _disagreement(kept) else []
    loss = next((best for best in kept.best if best.measure == "loss"), None)
    if loss is not None and loss.beyond_noise:
        row = int(np.searchsorted(kept.measured["loss"].epochs, loss.epoch))
        words.append(f"The loss alone is lowest at epoch {loss.epoch} ({_figures(kept, row)}).")
    return " ".join([*words, _disagreement(kept)])


def _disagreement(kept: Kept) -> str:
    """That another checkpoint is better for sure by a measure that this one does not go by."""
    others = [
        f"by {kept.measured[best.measure].title} epoch {best.epoch} is better than the last for sure "
        f"({_shown(best.measure, best.value)})"
        for best in kept.best
        if kept.measured[best.measure].guards and best.beyond_noise and best.epoch != kept.checkpoint.epoch
    ]
    if not others:
        return ""
    worse = "" if kept.is_better else ", but worse by another measure"
    return f"The measures differ: {' and '.join(others)}{worse}."
