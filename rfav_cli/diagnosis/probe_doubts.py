"""Whether the probe is what the net was trained on: its normalisation, and predictions no better than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.labels import SMALLEST_PROBE, guessing, label_doubts
from rfav_cli.records import Doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rfav_cli.records import History

SHIFT = 1.5
"""Running deviations of the worst channel. With the right normalisation at most 0.5 was measured, 1.3 on a probe of one
class alone; without the mean alone, 2 and more. Below it, other means (channels in another order) cannot be told."""
VARIANCE = (0.45, 3.0)
"""Median variance, as a multiple of the running one. Measured with the right normalisation: 0.82 to 1.75, the highest
where images are mixed in training; without one: 0.05 to 0.3; with 0.5 and 0.5 in place of the set's: 0.23 to 0.43."""
FEWEST_SAMPLES = 20
"""Below this, and where the running statistics did not change, only what is beyond any set of images counts."""
BEYOND_SHIFT = 10.0
BEYOND_VARIANCE = (0.02, 50.0)
NORMALISATION_CERTAINTY = 0.95
ACCURACY_CERTAINTY, UNLEARNT_CERTAINTY = 0.8, 0.5
ONE_CLASS_CERTAINTY = 0.99
FEWEST_EPOCHS = 3
"""Epochs after the first step, in which a net could have learnt something."""
MOST_FREQUENT = 0.6
"""Share of the most frequent class above which a net that learnt something need not be right more often than that."""
NO_BETTER, SURE = 0.97, 1.05
"""Shares of the loss of guessing that the lowest and the last held-out loss must exceed. A net that has learnt its
classes is below the first in some epoch, 0.94 at the most in 66 runs of the benchmark, a few of which are above it for
up to 12 epochs at their start; one that has learnt nothing yet is not above the second, 1.003 in those runs."""


def probe_doubts(history: History) -> Iterator[Doubt]:
    """Doubts about the probe that a run's figures tell."""
    order = (*one_class_doubts(history), *label_doubts(history))
    yield from order
    yield from normalisation_doubts(history)
    if not order:  # which says the same, and why
        yield from accuracy_doubts(history)


def one_class_doubts(history: History) -> Iterator[Doubt]:
    """Doubt a probe of one class: a net that says this class always is right of all of it."""
    labels = history.run.probe.labels
    if labels is None or labels.ndim != 1 or len(labels) < SMALLEST_PROBE or (labels != labels[0]).any():
        return
    yield Doubt(
        "classes",
        "",
        f"all {len(labels):,} samples of the probe are of one class: a net that always says that class is right in all "
        "of them, so loss and accuracy tell nothing of the others",
        "Give a probe with samples of all classes; a folder is given by its root, above the folders of the classes.",
        ONE_CLASS_CERTAINTY,
    )


def normalisation_doubts(history: History) -> Iterator[Doubt]:
    """Doubt the normalisation where the first batch normalisation is given other samples than it knows, in every epoch.

    All epochs count that have figures: a training that diverges leaves its own running statistics behind, but not from
    its beginning.
    """
    shifts, variances = (_column(history, name) for name in ("probe/norm_shift", "probe/norm_variance"))
    known = np.isfinite(shifts) & np.isfinite(variances)
    if not known.any():
        return
    shifts, variances = shifts[known], variances[known]
    frozen = len(shifts) > 1 and len({*zip(shifts.tolist(), variances.tolist(), strict=True)}) == 1
    narrow = not frozen and history.run.probe.size >= FEWEST_SAMPLES
    limit, (low, high) = (SHIFT, VARIANCE) if narrow else (BEYOND_SHIFT, BEYOND_VARIANCE)
    if not ((shifts > limit) | (variances < low) | (variances > high)).all():
        return
    yield Doubt(
        "normalisation",
        "",
        "the probe is normalised unlike the samples that the net was trained on: at its first batch normalisation the "
        f"worst channel is shifted by {shifts[-1]:.3g} standard deviations, and the variance is {variances[-1]:.2g} "
        f"times what the net expects (epoch {history.epochs[known][-1]})",
        "Give --mean and --std as in training; bytes are divided by 255 first, floating-point arrays are taken as they "
        "are.",
        NORMALISATION_CERTAINTY,
    )


def accuracy_doubts(history: History) -> Iterator[Doubt]:
    """Doubt the probe where the predictions are no better than guessing in any epoch.

    It is the more certain the surer the net is of them: one that has learnt nothing yet is not. Guessing is to say each
    class as often as it is there, and for the accuracy always the most frequent.
    """
    labels, seen = history.run.probe.labels, (history.epochs >= 0) & np.isfinite(history.loss + history.accuracy)
    losses, accuracies = history.loss[seen], history.accuracy[seen]
    if (
        labels is None
        or not (history.has_one_class and history.in_nats)
        or len(labels) < SMALLEST_PROBE
        or len(losses) < FEWEST_EPOCHS
    ):
        return
    (share, guessed), best = guessing(labels), float(accuracies.max())
    if share > MOST_FREQUENT or best > min(2 * share, share + 0.1 * (1 - share)):
        return
    if losses.min() < NO_BETTER * guessed:
        return
    yield Doubt(
        "accuracy",
        "",
        f"the predictions are no better than chance in any epoch: held-out loss {losses.min():.3g} nat at its lowest, "
        f"{guessed:.3g} by guessing; accuracy {best:.1%} at its highest, {share:.1%} by guessing",
        "The probe's classes (--classes) or its normalisation (--mean, --std) may not be the net's, or the net has "
        "learnt nothing that holds for the probe.",
        ACCURACY_CERTAINTY if losses[-1] > SURE * guessed else UNLEARNT_CERTAINTY,
    )


def _column(history: History, name: str) -> NDArray[np.float64]:
    values = history.columns.get(name)
    return np.full(len(history), np.nan) if values is None else np.asarray(values[:], np.float64)
