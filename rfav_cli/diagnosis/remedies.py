"""Whether another training with penalties is advised for a net, and what else did better on such nets."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rfav_cli.diagnosis.make_of_net import make_of_net
from rfav_cli.diagnosis.recipe import recommend
from rfav_cli.diagnosis.remedy_record import (
    ADVISED,
    GAINS,
    LOSS,
    REMEDIES,
    gain_in_words,
    gain_of,
    is_gain,
    is_worth_a_training,
)
from rfav_cli.records import RULES, AdviceStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.diagnosis.make_of_net import Make
    from rfav_cli.records import Advice, Gain, History, Rule, Verdict

NETS: dict[Make, str] = {
    "plain": "nets without normalisation",
    "normalised": "nets with batch normalisation",
    "not known": "nets",
}
"""Make -> in words."""
TOLD = 3
"""Remedies that advice names, the best first; its record has all that gained."""
LOST_BY_DENSE = "penalties cost nets without convolutions accuracy where that was measured"


OF_CLASSES = AdviceStep(
    "instead",
    "What helps was measured on nets that tell one class of each sample, so no penalty is advised here. More samples, "
    "augmentation, dropout and weight decay are what such nets have otherwise.",
)


def retraining(history: History, verdict: Verdict, rule: str) -> AdviceStep | None:
    """Another training by a rule: where a layer collapses, penalties gained on such nets, and the rule is worth it."""
    make = make_of_net(history)
    aimed = recommend(history, verdict, ADVISED).layers
    if not aimed or not is_gain(gain_of(ADVISED, make)) or not is_worth_a_training(rule, make):
        return None
    layers = [layer.name for layer in recommend(history, verdict, rule).layers]
    words = f"Train again with {REMEDIES[rule]} on {', '.join(layers)}. That gave {NETS[make]} "
    words += f"{' and '.join(_told_gains(rule, make))} in rfav's benchmark."
    by = "" if rule == ADVISED else f" --rule {rule}"
    command = f"rfav recommend {shlex.quote(history.path)}{by} --out recipe.toml"
    return AdviceStep("retrain", words, command, _all_gains(rule, make))


def _told_gains(rule: str, make: Make) -> Iterator[str]:
    """The gain of accuracy, and where that is not sure that of the loss, which is."""
    accuracy, loss = gain_of(rule, make), gain_of(rule, make, LOSS)
    if accuracy is not None:
        yield gain_in_words(accuracy)
    if loss is not None and not is_gain(accuracy):
        yield gain_in_words(loss)


def _all_gains(remedy: str, make: Make) -> tuple[Gain, ...]:
    return tuple(gain for gain in GAINS if (gain.remedy, gain.nets) == (remedy, make))


def other_remedy(history: History, verdict: Verdict, rule: str) -> AdviceStep:
    """What else was measured on nets of this make: what gained, and that the penalties did not."""
    if not history.has_one_class:
        return OF_CLASSES
    make, penalties = make_of_net(history), f"`rfav recommend {shlex.quote(history.path)} --anyway`"
    if not history.run.convolutional and make != "normalised":
        words = f"In rfav's benchmark {LOST_BY_DENSE}, and nothing but a temperature helped them."
        return AdviceStep("instead", words)
    if make == "not known":
        words = "Whether the net has batch normalisation is not known, and with it penalties gain no accuracy"
        return AdviceStep("instead", f"{words} ({_lost('normalised', rule)}). {penalties} gives them.")
    tried = [gain for remedy in REMEDIES if remedy not in RULES if (gain := gain_of(remedy, make))]
    gains = sorted((gain for gain in tried if is_gain(gain)), key=lambda gain: -gain.value)
    advised = gain_of(ADVISED, make)
    if not gains:
        others = "".join(f"; {REMEDIES[gain.remedy]} {gain_in_words(gain)}" for gain in tried)
        words = f"Nothing that rfav's benchmark has tried on {NETS[make]} gains accuracy: {_lost(make, rule)}{others}."
        return AdviceStep("instead", words, "", tuple(gain for gain in (advised, *tried) if gain))
    told = ", ".join(f"{REMEDIES[gain.remedy]} ({100 * gain.value:+.1f})" for gain in gains[:TOLD])
    begin = "Or train"
    if advised is not None and not is_gain(advised):
        begin = f"Penalties gain such nets no accuracy: {_lost(make, rule)}. Train"
        gains = [*gains, advised]
    elif not recommend(history, verdict, ADVISED).layers:
        begin = "No layer collapses that a penalty could aim at. Train"
    words = f"{begin} with what helped {NETS[make]}, in points of accuracy in rfav's benchmark: {told}."
    return AdviceStep("instead", words, "", tuple(gains))


def _lost(make: Make, rule: str) -> str:
    """What the penalties did on nets of a make that they are not advised for."""
    gain = gain_of(rule, make) or gain_of(ADVISED, make)
    return f"{REMEDIES[gain.remedy]} {gain_in_words(gain)}" if gain else ""


def penalties_are_advised(advice: Advice) -> bool:
    """Whether another training is advised, by the rule that the advice was asked about."""
    return any(step.kind == "retrain" for step in advice.steps)


def rule_by_advice(advice: Advice) -> Rule:
    """The rule of the retraining that is advised; where none is, the one that asks the validation samples."""
    return ADVISED if penalties_are_advised(advice) else "adaptive"


def warning_on_penalties(verdict: Verdict, history: History, rule: str) -> str:
    """What the penalties did on nets of this make, for one who wants them anyway."""
    if not history.has_one_class:
        return f"they were measured on nets that tell one class of each sample; this one's task is {history.task}"
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
