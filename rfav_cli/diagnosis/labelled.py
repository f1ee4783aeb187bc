"""What a labelled probe tells of a run: its held-out loss, that loss after calibration, and its accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import sigma_within
from rfav_cli.diagnosis.labels import predictions, right
from rfav_cli.diagnosis.overfitting import follow_loss, held_out_losses
from rfav_cli.text import figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rfav_cli.diagnosis.overfitting import LossCourse
    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History, Onset
    from rfav_cli.records.verdict import OverfittingKind

POSSIBLE = 0.5
"""Probability from which a loss of knowledge that is not sure leaves a run unclear.

On a thousand samples that of any run may be a third, by the error of an accuracy alone."""


@dataclass(frozen=True)
class LabelledCourses:
    """What the samples of a labelled probe went through.

    Attributes:
        epochs: (E,) those with finite losses.
        loss: of the held-out loss.
        calibrated: of the held-out loss after calibration; None where it was not measured.
        errors: of the share of errors; None where no predictions were kept.
        unsmoothed: the same as measured, of a run so short that its smoothing is narrower than asked; None of a longer
            one.
        measured: (E,) held-out losses, in nats.
        measured_calibrated: (E,) the same after calibration, or None.
        accuracies: (E,) or None.
        loss_words, figure: what the loss and the accuracy are called.
    """

    epochs: NDArray[np.int64]
    loss: LossCourse
    calibrated: LossCourse | None
    errors: LossCourse | None
    unsmoothed: LabelledCourses | None
    measured: NDArray[np.float64]
    measured_calibrated: NDArray[np.float64] | None
    accuracies: NDArray[np.float64] | None
    loss_words: str = "held-out loss"
    figure: str = "accuracy"

    @property
    def knowledge(self) -> float:
        """Probability that knowledge is lost: that calibration leaves a rise, or that the accuracy falls."""
        courses = (self.calibrated, self.errors)
        return max((course.probability for course in courses if course is not None), default=0.0)

    @property
    def probability(self) -> float:
        """Probability that the run overfits: that its loss rises, or where that is likelier that it loses knowledge."""
        return self.loss.probability if self.knowledge < POSSIBLE else max(self.loss.probability, self.knowledge)

    def kind(self, certainty: float) -> OverfittingKind | None:
        """Which kind of overfitting; None where neither is sure, or the loss after calibration is not known."""
        if self.knowledge >= certainty:
            return "lost knowledge"
        return None if self.calibrated is None or self._may_forget(certainty) else "overconfidence"

    def _may_forget(self, certainty: float) -> bool:
        """Whether a loss of knowledge is likelier than not, or sure as measured over the few epochs of a short run."""
        hidden = self.unsmoothed is not None and self.unsmoothed.knowledge >= certainty
        return hidden or self.knowledge >= POSSIBLE

    def onset(self, certainty: float) -> Onset:
        """Of what is sure: of the loss where it is, else of what shows that knowledge is lost."""
        courses = [course for course in (self.loss, self.calibrated, self.errors) if course is not None]
        sure = [course for course in courses if course.probability >= certainty]
        return (sure or courses)[0].onset

    def is_unclear(self, certainty: float) -> bool:
        """Whether neither side is sure, or each of them is: as measured it surely gets worse, smoothed it does not."""
        return 1 - certainty < self.probability < certainty or self._is_hidden(certainty)

    def _is_hidden(self, certainty: float) -> bool:
        """Whether the few epochs of a short run surely get worse, which their smoothing takes for noise."""
        hidden = self.unsmoothed is not None and self.unsmoothed.probability >= certainty
        return hidden and self.probability <= 1 - certainty

    def words(self, thresholds: Thresholds) -> str:
        """The figures: as measured where it began and at the end, and the smoothed losses that were judged."""
        return "; ".join(self._parts(thresholds))

    def _parts(self, thresholds: Thresholds) -> Iterator[str]:
        onset = self.onset(thresholds.certainty).epoch
        row = int(np.searchsorted(self.epochs, onset))
        ends = "" if row == len(self.epochs) - 1 else f", {figure(self.measured[-1])} at the end"
        smoothed = f" (smoothed {figure(self.loss.lowest)} at its lowest, {figure(self.loss.last)} at the end)"
        yield (
            f"{self.loss_words} {figure(self.measured[row])} at epoch {onset}{ends or ', the last'}"
            f"{smoothed if thresholds.smoothing else ''}"
        )
        if self.measured_calibrated is not None:
            yield f"after calibration {self._ends(self.measured_calibrated, self.calibrated, row, '{:.3f}')}"
        if self.accuracies is not None:
            yield f"{self.figure} {self._ends(self.accuracies, self.errors, row, '{:.1%}')}"
        lowest = int(np.argmin(self.measured))
        if lowest != row:
            yield f"the lowest loss measured is {figure(self.measured[lowest])} at epoch {self.epochs[lowest]}"
        yield from self._doubtful(thresholds)

    def _ends(self, values: NDArray[np.float64], course: LossCourse | None, row: int, form: str) -> str:
        """A figure in the epoch that was named last and at the end; where it likely got worse, its best as well."""
        words = f"{figure(values[row], form)} and {figure(values[-1], form)}"
        best = row if course is None else int(np.searchsorted(self.epochs, course.onset.epoch))
        if course is None or course.probability < POSSIBLE or best in (row, len(values) - 1):
            return words
        return f"{words} (smoothed it is best at epoch {self.epochs[best]}, there {figure(values[best], form)})"

    def _doubtful(self, thresholds: Thresholds) -> Iterator[str]:
        """What is neither sure nor surely not."""
        asked = (
            (self.loss, f"that the loss rises by {thresholds.rise:.0%}", 1 - thresholds.certainty),
            (self.calibrated, f"that it rises by {thresholds.knowledge:.0%} after calibration", POSSIBLE),
            (self.errors, f"that the {self.figure} falls by {_points(thresholds.drop)}", POSSIBLE),
        )
        for course, what, low in asked:
            if course is not None and low < course.probability < thresholds.certainty:
                yield f"{what} is {course.probability:.0%} sure"
        if self.unsmoothed is not None and self._is_hidden(thresholds.certainty):
            yield (
                f"that it overfits is {self.unsmoothed.probability:.0%} sure as measured and {self.probability:.0%} "
                "smoothed: too few epochs to tell that from noise"
            )
        if self.probability >= thresholds.certainty > self.knowledge and self._may_forget(thresholds.certainty):
            yield "whether knowledge is lost, too, is not sure"


def _points(share: float) -> str:
    """A share of the samples, in percentage points."""
    return "1 point" if share == 0.01 else f"{100 * share:g} points"


def follow_labelled(history: History, thresholds: Thresholds) -> LabelledCourses | None:
    """Follow what a labelled probe has; None where the losses of fewer epochs are finite than are needed."""
    losses = held_out_losses(history)
    finite = np.asarray(np.isfinite(losses).all(1))
    if finite.sum() < thresholds.fewest:
        return None
    calibrated = _calibrated(history, finite)
    errors = _errors(history, finite)
    epochs, smoothing = history.epochs[finite], thresholds.smoothing
    is_short = sigma_within(epochs, smoothing) < smoothing
    return LabelledCourses(
        epochs=epochs,
        loss=follow_loss(epochs, losses[finite], smoothing, share=thresholds.rise),
        calibrated=None
        if calibrated is None
        else follow_loss(epochs, calibrated, smoothing, share=thresholds.knowledge),
        errors=None if errors is None else follow_loss(epochs, errors, smoothing, margin=thresholds.drop),
        unsmoothed=follow_labelled(history, replace(thresholds, smoothing=0.0)) if is_short else None,
        measured=losses[finite].mean(1),
        measured_calibrated=None if calibrated is None else calibrated.mean(1),
        accuracies=None if errors is None else 1 - errors.mean(1),
        loss_words=history.loss_words,
        figure=history.figure_name,
    )


def _calibrated(history: History, finite: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """(E, N) losses after calibration; None where an epoch has none."""
    column = history.columns.get("probe/sample_calibrated_loss")
    if column is None or 0 in column.shape:
        return None
    values = np.asarray(column[:], np.float64)[finite]
    return values if np.isfinite(values).all() else None


def _errors(history: History, finite: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """(E, N) 1 for an error and 0 for none, or a share of them; None where no predictions were kept."""
    found, predicted = right(history), predictions(history)
    if found is None or (predicted is not None and (predicted[finite] < 0).any()):
        return None
    errors = 1 - found[finite]
    return errors if np.isfinite(errors).all() else None
