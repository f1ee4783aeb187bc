"""What a labelled probe tells of a run: its held-out loss, that loss after calibration, and its accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import sigma_within
from rfav_cli.diagnosis.labels import predictions
from rfav_cli.diagnosis.overfitting import follow_loss, held_out_losses

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
        unsmoothed: of the held-out loss as measured, of a run so short that its smoothing is narrower than asked; None
            of a longer one.
        measured: (E,) held-out losses, in nats.
        measured_calibrated: (E,) the same after calibration, or None.
        accuracies: (E,) or None.
    """

    epochs: NDArray[np.int64]
    loss: LossCourse
    calibrated: LossCourse | None
    errors: LossCourse | None
    unsmoothed: LossCourse | None
    measured: NDArray[np.float64]
    measured_calibrated: NDArray[np.float64] | None
    accuracies: NDArray[np.float64] | None

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
        """Which kind of overfitting; None where the loss after calibration is not known and the accuracy stays."""
        if self.knowledge >= certainty:
            return "lost knowledge"
        return None if self.calibrated is None else "overconfidence"

    def onset(self, certainty: float) -> Onset:
        """Of what is sure: of the loss where it is, else of what shows that knowledge is lost."""
        courses = [course for course in (self.loss, self.calibrated, self.errors) if course is not None]
        sure = [course for course in courses if course.probability >= certainty]
        return (sure or courses)[0].onset

    def is_unclear(self, certainty: float) -> bool:
        """Whether neither side is sure, or each of them is: the loss as measured surely rises, smoothed it does not."""
        return 1 - certainty < self.probability < certainty or self._is_hidden(certainty)

    def _is_hidden(self, certainty: float) -> bool:
        """Whether the few epochs of a short run surely rise, which their smoothing takes for noise."""
        hidden = self.unsmoothed is not None and self.unsmoothed.probability >= certainty
        return hidden and self.probability <= 1 - certainty

    def words(self, thresholds: Thresholds) -> str:
        """The figures: as measured where it began and at the end, and the smoothed losses that were judged."""
        return "; ".join(self._parts(thresholds))

    def _parts(self, thresholds: Thresholds) -> Iterator[str]:
        onset = self.onset(thresholds.certainty).epoch
        row = int(np.searchsorted(self.epochs, onset))
        ends = "" if row == len(self.epochs) - 1 else f", {self.measured[-1]:.3f} at the end"
        smoothed = f" (smoothed {self.loss.lowest:.3f} at its lowest, {self.loss.last:.3f} at the end)"
        yield (
            f"held-out loss {self.measured[row]:.3f} at epoch {onset}{ends or ', the last'}"
            f"{smoothed if thresholds.smoothing else ''}"
        )
        lowest = int(np.argmin(self.measured))
        if lowest != row:
            yield f"the lowest measured is {self.measured[lowest]:.3f} at epoch {self.epochs[lowest]}"
        if self.measured_calibrated is not None:
            yield f"after calibration {self.measured_calibrated[row]:.3f} and {self.measured_calibrated[-1]:.3f}"
        if self.accuracies is not None:
            yield f"accuracy {self.accuracies[row]:.1%} and {self.accuracies[-1]:.1%}"
        yield from self._doubtful(thresholds)

    def _doubtful(self, thresholds: Thresholds) -> Iterator[str]:
        """What is neither sure nor surely not."""
        asked = (
            (self.loss, f"that the loss rises by {thresholds.rise:.0%}", 1 - thresholds.certainty),
            (self.calibrated, f"that it rises by {thresholds.knowledge:.0%} after calibration", POSSIBLE),
            (self.errors, f"that the accuracy falls by {100 * thresholds.drop:g} points", POSSIBLE),
        )
        for course, what, low in asked:
            if course is not None and low < course.probability < thresholds.certainty:
                yield f"{what} is {course.probability:.0%} sure"
        if self.unsmoothed is not None and self._is_hidden(thresholds.certainty):
            yield (
                f"{asked[0][1]} is {self.unsmoothed.probability:.0%} sure as measured and {self.loss.probability:.0%} "
                "smoothed: too few epochs to tell a rise from noise"
            )


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
        unsmoothed=follow_loss(epochs, losses[finite], 0.0, share=thresholds.rise) if is_short else None,
        measured=losses[finite].mean(1),
        measured_calibrated=None if calibrated is None else calibrated.mean(1),
        accuracies=None if errors is None else 1 - errors.mean(1),
    )


def _calibrated(history: History, finite: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """(E, N) losses after calibration; None where an epoch has none."""
    column = history.columns.get("probe/sample_calibrated_loss")
    if column is None or 0 in column.shape:
        return None
    values = np.asarray(column[:], np.float64)[finite]
    return values if np.isfinite(values).all() else None


def _errors(history: History, finite: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """(E, N) 1 for an error and 0 for none; None where no predictions were kept."""
    labels, predicted = history.run.probe.labels, predictions(history)
    if labels is None or predicted is None or predicted.shape[1:] != labels.shape:
        return None
    known = predicted[finite]
    return None if (known < 0).any() else np.asarray(known != labels, np.float64)
