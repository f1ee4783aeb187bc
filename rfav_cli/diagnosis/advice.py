"""What to do about a run, by what it measured and by what remedies were worth where that is known."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rfav_cli.diagnosis.best import courses
from rfav_cli.diagnosis.keep import candidates, find_kept, keep_words
from rfav_cli.diagnosis.remedies import other_remedy, retraining
from rfav_cli.diagnosis.remedy_record import ADVISED
from rfav_cli.diagnosis.temperature import lowers_loss, says_nothing
from rfav_cli.records import Advice, AdviceStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.diagnosis.keep import Kept
    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History, Verdict


def advise(history: History, verdict: Verdict, thresholds: Thresholds, rule: str = ADVISED) -> Advice:
    """Say which checkpoint to keep, and what to do beside.

    Args:
        history: what was judged.
        verdict: of that history.
        thresholds: certainty is used.
        rule: of the penalties that another training may be advised with.
    """
    measured, rows = courses(history), candidates(history, verdict)
    best = tuple(course.described(history, rows, thresholds.certainty) for course in measured.values()) if rows else ()
    kept = find_kept(history, verdict, thresholds, measured, best)
    overconfident = verdict.run.kind == "overconfidence"
    temperature = _temperature(history, kept, thresholds.certainty) if kept and overconfident else None
    steps = [*_look(history, verdict, kept)]
    if kept:
        steps.append(AdviceStep("keep", keep_words(history, verdict, kept)))
    if kept and temperature is not None:
        steps.append(_calibrate(history, kept, temperature))
    if verdict.run.state == "overfitting":
        again = retraining(history, verdict, rule) if history.has_one_class else None
        steps += [*([again] if again else []), other_remedy(history, verdict, rule)]
    return Advice(
        best=best,
        keep=kept.checkpoint.epoch if kept else None,
        keep_by=kept.by if kept else "",
        temperature=temperature,
        steps=tuple(steps),
    )


def _temperature(history: History, kept: Kept, certainty: float) -> float | None:
    """That of the checkpoint that is kept, where it makes its scores less sure and its loss lower for sure."""
    value = float(history.temperature[kept.row])
    if not value > 1 or says_nothing(history, kept.row) or not lowers_loss(history, kept.row, certainty):
        return None
    return value


def _calibrate(history: History, kept: Kept, temperature: float) -> AdviceStep:
    words = f"Divide its scores by {temperature:.2f} (a temperature). That changes no prediction"
    if "calibrated loss" in kept.measured and "loss" in kept.measured:
        loss, calibrated = (kept.measured[name].values[kept.row] for name in ("loss", "calibrated loss"))
        words += f", and takes the {history.loss_words} from {loss:.3f} to {calibrated:.3f}"
    return AdviceStep(
        "temperature", f"{words}.", f"rfav calibrate {shlex.quote(history.path)} --epoch {kept.checkpoint.epoch}"
    )


def _look(history: History, verdict: Verdict, kept: Kept | None) -> Iterator[AdviceStep]:
    """What is wrong or missing, and what would decide."""
    run, unlabelled = verdict.run, not history.labelled
    if run.state == "unclear":
        words = "What was measured does not decide."
        words += " Labels of the probe would." if unlabelled else " More epochs or more held-out samples would."
        yield AdviceStep("look", words)
    elif run.state == "unknown":
        yield AdviceStep("look", f"Nothing can be advised yet: {run.reason}.")
    elif run.state == "not learning":
        labels = "the order of the classes" if history.has_one_class else "the units of the labels"
        yield AdviceStep(
            "look",
            "No checkpoint is worth keeping. Look at the learning rate (too low: nothing moves; too high: units die), "
            f"the share of dead units, {labels} and the normalisation of the samples.",
        )
    elif run.state in {"broken", "diverged"}:
        go_on = "go on from the checkpoint below" if kept else "train anew"
        yield AdviceStep("look", f"No penalty mends that: {go_on} with a lower learning rate or clipped gradients.")
    elif run.state == "overfitting" and unlabelled:
        words = "Which checkpoint is best, and whether knowledge is lost or only confidence gained, is told by labels."
        yield AdviceStep("look", f"{words} Measure the checkpoints on a labelled probe.")
