"""What to do about a run, by what it measured and by what remedies were worth where that is known."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rfav_cli.diagnosis.best import GUARDS, Choice, choose, courses
from rfav_cli.diagnosis.divergence import is_sound
from rfav_cli.diagnosis.make_of_net import make_of_net
from rfav_cli.diagnosis.recipe import recommend
from rfav_cli.diagnosis.remedy_record import (
    ADVISED,
    GAINS,
    REMEDIES,
    gain_in_words,
    gain_of,
    is_gain,
    is_worth_a_training,
)
from rfav_cli.diagnosis.temperature import lowers_loss, says_nothing
from rfav_cli.records import RULES, Advice, AdviceStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rfav_cli.diagnosis.best import Course
    from rfav_cli.diagnosis.make_of_net import Make
    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import Best, Checkpoint, Gain, History, Rule, Verdict
    from rfav_cli.records.advice import Measure

SHOWN = {"accuracy": "{:.1%}", "loss": "{:.3f}", "calibrated loss": "{:.3f}"}
"""How a measure is told: losses in nats."""


@dataclass(frozen=True, eq=False)
class _Kept:
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


def advise(history: History, verdict: Verdict, thresholds: Thresholds) -> Advice:
    """Say which checkpoint to keep, and what to do beside.

    Args:
        history: what was judged.
        verdict: of that history.
        thresholds: certainty is used.
    """
    measured, rows = courses(history), _rows(history, verdict)
    best = tuple(course.described(history, rows, thresholds.certainty) for course in measured.values()) if rows else ()
    kept = _kept(history, verdict, thresholds, measured, best)
    overconfident = verdict.run.kind == "overconfidence"
    temperature = _temperature(history, kept, thresholds.certainty) if kept and overconfident else None
    steps = [*_look(history, verdict, kept)]
    if kept:
        steps.append(AdviceStep("keep", _keep_words(history, verdict, kept)))
    if verdict.run.state == "overfitting":
        steps += _mend(history, verdict, kept, temperature)
    return Advice(
        best=best,
        keep=kept.checkpoint.epoch if kept else None,
        keep_by=kept.by if kept else "",
        temperature=temperature,
        steps=tuple(steps),
    )


def _rows(history: History, verdict: Verdict) -> list[int]:
    """The trained epochs that a checkpoint can be kept of: what was measured is finite, and it came before a break."""
    sound, run = is_sound(history), verdict.run
    ends = run.onset.epoch if run.state in {"broken", "diverged"} and run.onset else math.inf
    return [row for row, epoch in enumerate(history.epochs) if sound[row] and 0 <= epoch < ends]


def _kept(
    history: History,
    verdict: Verdict,
    thresholds: Thresholds,
    measured: Mapping[Measure, Course],
    best: tuple[Best, ...],
) -> _Kept | None:
    """None where the net has learned nothing, nothing can be said, or no checkpoint is left."""
    guards = [measured[name] for name in GUARDS if name in measured]
    rows = [row for row in _rows(history, verdict) if all(np.isfinite(course.values[row]) for course in guards)]
    if not rows or verdict.run.state in {"not learning", "unknown"}:
        return None
    overfits = verdict.run.state == "overfitting"
    if overfits and not measured:
        return None  # without labels the last cannot be told from those before
    lost = verdict.run.kind == "lost knowledge"
    choice = choose(measured, rows, thresholds.certainty, lost=lost) if measured else Choice(rows[-1], "")
    by = choice.by or (guards[0].measure if guards else next(iter(measured), ""))
    return _Kept(choice.row, history.checkpoints[choice.row], by, bool(choice.by), measured, best)


def _temperature(history: History, kept: _Kept, certainty: float) -> float | None:
    """That of the checkpoint that is kept, where it makes its scores less sure and its loss lower for sure."""
    value = float(history.temperature[kept.row])
    if not value > 1 or says_nothing(history, kept.row) or not lowers_loss(history, kept.row, certainty):
        return None
    return value


def _keep_words(history: History, verdict: Verdict, kept: _Kept) -> str:
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
    others = [name for name in GUARDS if name in kept.measured and name != kept.by]
    no_worse = f", and no worse by {' and '.join(others)}" if others else ""
    why = f"It is better than the last by {kept.by}{no_worse} ({_figures(kept, len(history) - 1)})."
    return f"Keep the checkpoint of {place}: {figures}. {why} {_disagreement(kept)}".rstrip()


def _figures(kept: _Kept, row: int) -> str:
    return ", ".join(f"{name} {_shown(name, course.values[row])}" for name, course in kept.measured.items())


def _shown(measure: str, value: float) -> str:
    return SHOWN[measure].format(value) if math.isfinite(value) else "not finite"


def _why_last(kept: _Kept) -> str:
    """That others are no better for sure, and what going back to the lowest loss would cost."""
    words = ["No other is better for sure."] if not _disagreement(kept) else []
    loss = next((best for best in kept.best if best.measure == "loss"), None)
    if loss is not None and loss.beyond_noise:
        row = int(np.searchsorted(kept.measured["loss"].epochs, loss.epoch))
        words.append(f"The loss alone is lowest at epoch {loss.epoch} ({_figures(kept, row)}).")
    return " ".join([*words, _disagreement(kept)])


def _disagreement(kept: _Kept) -> str:
    """That another checkpoint is better for sure by a measure that this one does not go by."""
    others = [
        f"by {best.measure} epoch {best.epoch} is better than the last for sure ({_shown(best.measure, best.value)})"
        for best in kept.best
        if best.measure in GUARDS and best.beyond_noise and best.epoch != kept.checkpoint.epoch
    ]
    if not others:
        return ""
    worse = "" if kept.is_better else ", but worse by another measure"
    return f"The measures differ: {' and '.join(others)}{worse}."


def _look(history: History, verdict: Verdict, kept: _Kept | None) -> Iterator[AdviceStep]:
    """What is wrong or missing, and what would decide."""
    run, unlabelled = verdict.run, history.run.probe.labels is None
    if run.state == "unclear":
        words = "What was measured does not decide."
        words += " Labels of the probe would." if unlabelled else " More epochs or more held-out samples would."
        yield AdviceStep("look", words)
    elif run.state == "unknown":
        yield AdviceStep("look", f"Nothing can be advised yet: {run.reason}.")
    elif run.state == "not learning":
        yield AdviceStep(
            "look",
            "No checkpoint is worth keeping. Look at the learning rate (too low: nothing moves; too high: units die), "
            "the share of dead units, the order of the classes and the normalisation of the samples.",
        )
    elif run.state in {"broken", "diverged"}:
        go_on = "go on from the checkpoint below" if kept else "train anew"
        yield AdviceStep("look", f"No penalty mends that: {go_on} with a lower learning rate or clipped gradients.")
    elif run.state == "overfitting" and unlabelled:
        words = "Which checkpoint is best, and whether knowledge is lost or only confidence gained, is told by labels."
        yield AdviceStep("look", f"{words} Measure the checkpoints on a labelled probe.")


def _mend(history: History, verdict: Verdict, kept: _Kept | None, temperature: float | None) -> Iterator[AdviceStep]:
    """A temperature, another training by a recipe, and what does better."""
    if kept and temperature is not None:
        yield _calibrate(history, kept, temperature)
    make, store = make_of_net(history), shlex.quote(history.path)
    gain = gain_of(ADVISED, make)
    layers = [layer.name for layer in recommend(history, verdict, ADVISED).layers]
    if gain is not None and is_gain(gain) and layers:
        words = f"Train again with {REMEDIES[ADVISED]} on {', '.join(layers)}. That gave {NETS[make]} "
        words += f"{gain_in_words(gain)} in rfav's benchmark."
        yield AdviceStep("retrain", words, f"rfav recommend {store} --out recipe.toml", _all_gains(ADVISED, make))
    yield _instead(make, bool(layers)) if history.run.convolutional or make == "normalised" else _UNTRIED


NETS: dict[Make, str] = {
    "plain": "nets without normalisation",
    "normalised": "nets with batch normalisation",
    "not known": "nets",
}
"""Make -> in words."""


LOST_BY_DENSE = "penalties cost nets without convolutions accuracy where that was measured"
_UNTRIED = AdviceStep(
    "instead",
    f"In rfav's benchmark {LOST_BY_DENSE}, and nothing but a temperature helped them. More samples, augmentation and "
    "dropout are not measured there.",
)


def _calibrate(history: History, kept: _Kept, temperature: float) -> AdviceStep:
    words = f"Divide its scores by {temperature:.2f} (a temperature). That changes no prediction"
    if "calibrated loss" in kept.measured and "loss" in kept.measured:
        loss, calibrated = (kept.measured[name].values[kept.row] for name in ("loss", "calibrated loss"))
        words += f", and takes the held-out loss from {loss:.3f} to {calibrated:.3f}"
    return AdviceStep(
        "temperature", f"{words}.", f"rfav calibrate {shlex.quote(history.path)} --epoch {kept.checkpoint.epoch}"
    )


def _all_gains(remedy: str, make: Make) -> tuple[Gain, ...]:
    return tuple(gain for gain in GAINS if (gain.remedy, gain.nets) == (remedy, make))


def _instead(make: Make, recipe: bool) -> AdviceStep:
    """What else was measured on nets of this make: what gained, and that the penalties did not."""
    if make == "not known":
        words = "Whether the net has batch normalisation is not known; the penalties gain without it and lose with it"
        return AdviceStep("instead", f"{words} ({_lost('normalised')}). `rfav recommend --anyway` gives them.")
    tried = [gain for remedy in REMEDIES if remedy not in RULES if (gain := gain_of(remedy, make))]
    gains = sorted((gain for gain in tried if is_gain(gain)), key=lambda gain: -gain.value)
    if gains:
        told = "; ".join(f"{REMEDIES[gain.remedy]} {gain_in_words(gain)}" for gain in gains)
        advised = gain_of(ADVISED, make)
        begin = "Or train" if recipe else "No layer collapses that a penalty could aim at. Train"
        if advised is not None and not is_gain(advised):
            begin = f"Penalties gain such nets no accuracy: {_lost(make)}. Train"
            gains = [*gains, advised]
        words = f"{begin} with what helped {NETS[make]} in rfav's benchmark, if it does not have it yet: {told}."
        return AdviceStep("instead", words, "", tuple(gains))
    words = f"Nothing that rfav's benchmark has tried on {NETS[make]} gains accuracy: {_lost(make)}"
    others = "".join(f"; {REMEDIES[gain.remedy]} {gain_in_words(gain)}" for gain in tried)
    untried = "More samples and augmentation are not measured there."
    lost = tuple(gain for gain in GAINS if gain.nets == make and gain.remedy in {ADVISED, *(g.remedy for g in tried)})
    return AdviceStep("instead", f"{words}{others}. {untried}", "", lost)


def _lost(make: Make) -> str:
    """What the penalties did on nets of a make that they are not advised for."""
    gain = gain_of(ADVISED, make)
    return f"{REMEDIES[ADVISED]} {gain_in_words(gain)}" if gain else ""


def _retrains(advice: Advice) -> bool:
    return any(step.kind == "retrain" for step in advice.steps)


def rule_by_advice(advice: Advice) -> Rule:
    """The rule of the retraining that is advised; where none is, the one that asks the validation samples."""
    return ADVISED if _retrains(advice) else "adaptive"


def penalties_are_advised(advice: Advice, history: History, rule: str) -> bool:
    """Whether a retraining is advised, and the rule is worth one on nets of this make."""
    return _retrains(advice) and is_worth_a_training(rule, make_of_net(history))


def warning_on_penalties(verdict: Verdict, history: History, rule: str) -> str:
    """What the penalties did on nets of this make, for one who wants them anyway."""
    make = make_of_net(history)
    gain = gain_of(rule, make if make != "not known" else "normalised")
    if verdict.run.state != "overfitting":
        return f"penalties were measured on runs that overfit alone; this one is {verdict.run.state}"
    if make == "plain" and not history.run.convolutional:
        return LOST_BY_DENSE
    unknown = "it is not known whether the net has batch normalisation; " if make == "not known" else ""
    nets = NETS["normalised" if make == "not known" else make]
    if gain is None:
        return f"{unknown}what the rule {rule!r} does on {nets} was not measured"
    return f"{unknown}on {nets} of rfav's benchmark {REMEDIES[rule]} gave {gain_in_words(gain)}"
