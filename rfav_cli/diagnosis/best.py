"""Which checkpoint of a run is best by what its probe measures, and whether the last is worse for sure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rfav_cli.diagnosis.curves import Smoothing, above_zero
from rfav_cli.diagnosis.labels import right
from rfav_cli.records import Best

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rfav_cli.records import Column, History
    from rfav_cli.records.advice import Measure


@dataclass(frozen=True, eq=False)
class Course:
    """A measure of the probe over the epochs.

    Attributes:
        measure: its name.
        epochs: (E,), ascending.
        values: (E,) as measured, NaN where there are none.
        samples: (E, N) of each sample, or None where the store has means alone.
        sign: 1 where more is better, -1 where less is.
        title: what it is called in text.
        decides: it is a loss beside which there is no other measure of what holds for other samples.
    """

    measure: Measure
    epochs: NDArray[np.int64]
    values: NDArray[np.float64]
    samples: NDArray[np.float64] | Column | None
    sign: int
    title: str = ""
    decides: bool = False

    @property
    def guards(self) -> bool:
        """Whether a checkpoint that is kept must be no worse in it; see `guards_of`."""
        return self.measure != "loss" or self.decides

    def best(self, rows: Sequence[int]) -> int:
        """The row with the best value of some, of equal ones the last."""
        gains = self.sign * self.values[list(rows)]
        gains = np.where(np.isfinite(gains), gains, -np.inf)
        return rows[len(rows) - 1 - int(np.argmax(gains[::-1]))]

    def no_worse(self, row: int, other: int) -> bool:
        """Whether a row is at least as good as another, as measured."""
        return bool(self.sign * (self.values[row] - self.values[other]) >= 0)

    def is_worse(self, other: int, best: int, rows: Sequence[int], certainty: float) -> bool:
        """Whether a row is worse for sure than the one that is the best of some.

        Both are of the same samples, so they are compared one by one (a paired test): what makes one sample harder than
        another drops out. That the best of many noisy points seems better than it is, is allowed for.

        Args:
            other: row that may be worse.
            best: row that was picked.
            rows: those that it was picked from.
            certainty: how sure that must be, a probability.
        """
        if other == best or not math.isfinite(self.values[best]):
            return False
        if not math.isfinite(self.values[other]):
            return True
        gain = self.sign * float(self.values[best] - self.values[other])
        error = self._error(best, other)
        if math.isnan(error):
            return False
        height = Smoothing.over(self.epochs[list(rows)], 0.0).seeming_height()
        return above_zero(gain - height * error / math.sqrt(2), error) >= certainty

    def _error(self, row: int, other: int) -> float:
        """Standard deviation of the difference of two rows, for the choice of samples; NaN where none can be told."""
        if self.samples is None:
            return math.nan
        one, two = (np.asarray(self.samples[each], np.float64) for each in (row, other))
        if one.size < 2 or not (np.isfinite(one).all() and np.isfinite(two).all()):
            return math.nan
        return float((one - two).std()) / math.sqrt(one.size)

    def described(self, history: History, rows: Sequence[int], certainty: float) -> Best:
        """The best of some rows, beside the last epoch."""
        row, last = self.best(rows), len(self.values) - 1
        checkpoint = history.checkpoints[row]
        return Best(
            measure=self.measure,
            epoch=checkpoint.epoch,
            path=checkpoint.path,
            value=float(self.values[row]),
            last=float(self.values[last]),
            beyond_noise=self.is_worse(last, row, rows, certainty),
        )


def courses(history: History) -> dict[Measure, Course]:
    """By accuracy, loss and calibrated loss, those that the store has; none without labels."""
    calibrated = history.columns.get("probe/calibrated_loss")
    alone = not (history.in_nats or history.has_accuracy)
    loss_name = history.loss_words.removeprefix("held-out ")
    found = (
        Course("accuracy", history.epochs, history.accuracy, right(history), 1, history.figure_name),
        Course("loss", history.epochs, history.loss, _samples(history, "probe/sample_loss"), -1, loss_name, alone),
        Course(
            "calibrated loss",
            history.epochs,
            np.full(len(history), np.nan) if calibrated is None else np.asarray(calibrated[:], np.float64),
            _samples(history, "probe/sample_calibrated_loss"),
            -1,
            "calibrated loss",
        ),
    )
    return {course.measure: course for course in found if np.isfinite(course.values).any()}


def _samples(history: History, name: str) -> Column | None:
    column = history.columns.get(name)
    return None if column is None or 0 in column.shape else column


@dataclass(frozen=True)
class Choice:
    """A checkpoint that is kept.

    Attributes:
        row: its place among the epochs.
        by: the measure that it is better by than the last candidate; "" where it is that one.
    """

    row: int
    by: Measure | Literal[""]


def guards_of(measured: Mapping[Measure, Course]) -> list[Course]:
    """What a checkpoint that is kept in place of the last must be no worse in: what holds for other samples, too.

    A cross-entropy is none: a temperature, which changes no prediction, takes from it what is overconfidence.
    """
    return [course for course in measured.values() if course.guards]


def choose(measured: Mapping[Measure, Course], rows: Sequence[int], certainty: float, *, lost: bool = False) -> Choice:
    """The checkpoint to keep: the last, unless another is better for sure by one measure and no worse by the others.

    Args:
        measured: the courses.
        rows: the candidates, ascending, at least one.
        certainty: how sure that must be, a probability.
        lost: it is known already that the last has lost something, so the best of those that are no worse is kept.
    """
    guards, last = guards_of(measured), rows[-1]
    fitting = [row for row in rows if all(course.no_worse(row, last) for course in guards)] or [last]
    for course in guards:
        best = course.best(fitting)
        if course.is_worse(last, best, rows, certainty):
            return Choice(best, course.measure)
    if lost and guards:
        return Choice(guards[-1].best(fitting), guards[-1].measure)
    return Choice(last, "")
