"""What to do about a run, by its state, its net and what remedies were worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from rfav_cli.diagnosis.advice import advise
from rfav_cli.diagnosis.remedies import penalties_are_advised, warning_on_penalties
from rfav_cli.diagnosis.remedy_record import ADVISED, gain_in_words, gain_of, is_gain
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import RULES, FilterFinding, LayerFinding, Onset, RunFinding, Verdict
from rfav_cli.records.verdict import RunState
from tests.diagnosis.runs import EPOCHS, make_run

if TYPE_CHECKING:
    from rfav_cli.records import Advice, AdviceStep, History
    from rfav_cli.records.verdict import OverfittingKind

LAST = int(EPOCHS[-1])
LAYERS = (LayerFinding("conv1", "stable"), LayerFinding("fc1", "collapsed"))
RISING = 1.0 + np.clip(EPOCHS - 8, 0, None) / 10
SIZE = 400


def run(
    *, accuracy: Any = 0.6, calibrated: Any = 1.0, loss: Any = RISING, make: str = "plain", labels: bool = True
) -> History:
    """24 epochs whose samples have the same noise in all; accuracies are shares of the samples that are right."""
    level = np.ones(len(EPOCHS))
    hardness = 0.5 + np.random.default_rng(0).random(SIZE)
    losses, others = ((np.asarray(each) * level)[:, None] * hardness / hardness.mean() for each in (loss, calibrated))
    history = make_run(losses if labels else None)
    truth = np.arange(SIZE) % 10
    right = np.arange(SIZE) < np.round(SIZE * (np.asarray(accuracy) * level))[:, None]
    columns = {
        "probe/accuracy": right.mean(1),
        "probe/sample_prediction": np.where(right, truth, (truth + 1) % 10),
        "probe/sample_calibrated_loss": others,
        "probe/calibrated_loss": others.mean(1),
        "probe/temperature": 1 + EPOCHS / 10,
    }
    if make == "normalised":
        columns["probe/norm_shift"] = np.zeros(len(EPOCHS))
    settings = replace(history.run.settings, model="" if make == "not known" else "nets:make")
    columns = {**history.columns, **(columns if labels else {"probe/norm_shift": 0} if make == "normalised" else {})}
    return replace(history, run=replace(history.run, settings=settings), columns=columns)


def verdict(state: RunState = "overfitting", kind: OverfittingKind | None = "overconfidence", **more: Any) -> Verdict:
    onset = more.pop("onset", 8)
    finding = RunFinding(state, "because", kind=kind if state == "overfitting" else None)
    if state in {"overfitting", "broken", "diverged"}:
        finding = replace(finding, onset=Onset(onset, onset, onset))
    return Verdict(finding, more.pop("layers", LAYERS))


def advice(history: History, judged: Verdict, rule: str = ADVISED) -> Advice:
    return advise(history, judged, Thresholds(), rule)


def steps(given: Advice) -> dict[str, AdviceStep]:
    return {step.kind: step for step in given.steps}


def test_an_overconfident_net_keeps_its_last_checkpoint_and_gets_a_temperature() -> None:
    given = advice(run(), verdict())
    assert (given.keep, given.keep_by) == (LAST, "accuracy")
    assert given.temperature == pytest.approx(1 + LAST / 10)
    assert list(steps(given)) == ["keep", "temperature", "retrain", "instead"]
    assert f"epoch {LAST} (run/epoch_{LAST}.pt)" in steps(given)["keep"].words
    assert "The loss alone is lowest at epoch 8" in steps(given)["keep"].words
    assert "from 2.500 to 1.000" in steps(given)["temperature"].words
    assert steps(given)["temperature"].command == f"rfav calibrate rfav.h5 --epoch {LAST}"


def test_a_temperature_that_does_not_lower_the_loss_of_the_checkpoint_is_not_advised() -> None:
    given = advice(run(calibrated=RISING + 0.01), verdict())
    assert given.temperature is None
    assert "temperature" not in steps(given)


def test_each_measure_has_its_best_checkpoint() -> None:
    accuracy = np.where(EPOCHS == 20, 0.7, 0.6)
    best = {each.measure: each for each in advice(run(accuracy=accuracy), verdict()).best}
    assert {name: each.epoch for name, each in best.items()} == {"accuracy": 20, "loss": 8, "calibrated loss": LAST}
    assert best["loss"].last == pytest.approx(2.5)
    assert {name: each.beyond_noise for name, each in best.items()} == {
        "accuracy": True,
        "loss": True,
        "calibrated loss": False,
    }


def test_an_earlier_checkpoint_that_is_more_accurate_for_sure_is_kept() -> None:
    given = advice(run(accuracy=np.where(EPOCHS == 12, 0.8, 0.6)), verdict())
    assert (given.keep, given.keep_by) == (12, "accuracy")
    assert "better than the last by accuracy, and no worse by calibrated loss" in steps(given)["keep"].words
    assert given.temperature == pytest.approx(2.2)


def test_one_that_is_hardly_more_accurate_is_not() -> None:
    """One sample of 400."""
    assert advice(run(accuracy=np.where(EPOCHS == 12, 0.6025, 0.6)), verdict()).keep == LAST


def test_lost_knowledge_goes_back_and_gets_no_temperature_for_it() -> None:
    lost = np.where(EPOCHS <= 8, 1.0, 1.5)
    given = advice(run(accuracy=np.where(EPOCHS <= 8, 0.6, 0.5), calibrated=lost), verdict(kind="lost knowledge"))
    assert (given.keep, given.keep_by, given.temperature) == (8, "accuracy", None)
    assert "temperature" not in steps(given)


def test_measures_that_differ_are_said_to() -> None:
    """The accuracy goes on rising while the calibrated loss does."""
    given = advice(run(accuracy=0.5 + EPOCHS / 100, calibrated=1 + EPOCHS / 20), verdict(kind="lost knowledge"))
    assert given.keep == LAST
    assert "The measures differ: by calibrated loss epoch 0 is better" in steps(given)["keep"].words


def test_a_retraining_is_advised_with_what_it_gained() -> None:
    step = steps(advice(run(), verdict()))["retrain"]
    gain = gain_of(ADVISED, "plain")
    assert gain in step.gains
    assert "fc1" in step.words
    assert "conv1" not in step.words
    assert step.command == "rfav recommend rfav.h5 --out recipe.toml"


def test_what_does_better_is_told_the_best_first() -> None:
    gains = steps(advice(run(), verdict()))["instead"].gains
    assert [gain.value for gain in gains] == sorted((gain.value for gain in gains), reverse=True)
    assert gains[0].remedy == "norm"
    assert all(gain.low > 0 and gain.nets == "plain" for gain in gains)


def test_penalties_are_not_advised_where_they_lost() -> None:
    history = run(make="normalised")
    given = advice(history, verdict())
    assert "retrain" not in steps(given)
    step = steps(given)["instead"]
    assert [gain.remedy for gain in step.gains] == ["augment", ADVISED]
    assert step.words.startswith("Penalties gain such nets no accuracy: the penalties of the rule 'even' ")
    assert "Train with what helped nets with batch normalisation, in points of accuracy" in step.words
    assert step.words.endswith("augmentation (flips and shifts) (+3.1).")
    assert not any(penalties_are_advised(advice(history, verdict(), rule)) for rule in RULES)
    assert "nets with batch normalisation" in warning_on_penalties(verdict(), history, "even")


def test_of_a_net_that_is_not_known_the_advice_is_the_careful_one() -> None:
    given = advice(run(make="not known"), verdict())
    assert "retrain" not in steps(given)
    assert "not known" in steps(given)["instead"].words
    assert "not known" in warning_on_penalties(verdict(), run(make="not known"), "even")


def test_a_net_without_convolutions_is_told_what_penalties_cost_there() -> None:
    history = run()
    history = replace(history, run=replace(history.run, layers=tuple(history.run.layers[1:])))
    given = advice(history, verdict(layers=LAYERS[1:]))
    assert {"retrain", "instead", "temperature"} & steps(given).keys() == {"instead", "temperature"}
    assert "without convolutions" in steps(given)["instead"].words
    assert "pooling" not in steps(given)["instead"].words  # what helped nets of another make
    assert not any(penalties_are_advised(advice(history, verdict(layers=LAYERS[1:]), rule)) for rule in RULES)
    assert "without convolutions" in warning_on_penalties(verdict(), history, ADVISED)


def test_without_a_layer_to_penalise_there_is_no_retraining() -> None:
    given = advice(run(), verdict(layers=(LayerFinding("conv1", "stable"), LayerFinding("fc1", "falling"))))
    assert "retrain" not in steps(given)


def test_correlated_filters_are_no_reason_to_train_again() -> None:
    """Correlations are of the weights, and the rule that is advised weighs none."""
    correlated = LayerFinding("conv1", "stable", filters=(FilterFinding("correlated", 0, "alike"),))
    assert "retrain" not in steps(advice(run(), verdict(layers=(correlated, LayerFinding("fc1", "falling")))))
    words = steps(advice(run(), verdict(layers=(correlated, LAYERS[1]))))["retrain"].words
    assert "fc1" in words
    assert "conv1" not in words


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_that_is_worth_a_training_is_advised_with_its_own_gain(rule: str) -> None:
    given = advice(run(), verdict(), rule)
    assert penalties_are_advised(given)
    assert not penalties_are_advised(advice(run(), verdict("healthy"), rule))
    step, gain = steps(given)["retrain"], gain_of(rule, "plain")
    assert gain is not None
    assert f"the rule '{rule}' on " in step.words
    assert gain_in_words(gain) in step.words
    assert {gain.remedy for gain in step.gains} == {rule}
    assert ("nat of the last loss" in step.words) == (not is_gain(gain))
    assert (f"--rule {rule} " in step.command) == (rule != ADVISED)


def test_a_rule_that_was_not_measured_is_not_advised() -> None:
    history = run()
    assert not penalties_are_advised(advice(history, verdict(), "golden"))
    assert "not measured" in warning_on_penalties(verdict(), history, "golden")


@pytest.mark.parametrize("state", get_args(RunState))
@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("make", ["plain", "normalised", "not known"])
def test_each_state_gets_advice_in_sentences(state: RunState, labels: bool, make: str) -> None:
    given = advice(run(labels=labels, make=make), verdict(state))
    assert given.steps
    assert all(step.words[0].isupper() and step.words.endswith(".") for step in given.steps)
    assert all("  " not in step.words for step in given.steps)
    assert (given.keep is None) == (state in {"not learning", "unknown"} or (state == "overfitting" and not labels))
    if state != "overfitting":
        assert not {"retrain", "temperature", "instead"} & set(steps(given))


@pytest.mark.parametrize("state", ["broken", "diverged"])
@pytest.mark.parametrize("labels", [True, False])
def test_a_run_that_ended_badly_keeps_the_last_checkpoint_before(state: RunState, labels: bool) -> None:
    given = advice(run(labels=labels), verdict(state, onset=15))
    assert given.keep == 14
    assert "run/epoch_14.pt" in steps(given)["keep"].words
    assert "lower learning rate" in steps(given)["look"].words


def test_one_that_was_never_sound_has_none() -> None:
    given = advice(run(), verdict("broken", onset=0))
    assert given.keep is None
    assert given.best == ()


def test_a_store_without_epochs_has_nothing_to_keep() -> None:
    empty = make_run(np.zeros((0, 9)), epochs=EPOCHS[:0], entropies={"fc1": np.zeros(0)})
    given = advice(empty, Verdict(RunFinding("unknown", "0 epochs measured"), ()))
    assert (given.best, given.keep) == ((), None)


def test_what_is_unclear_says_what_would_decide() -> None:
    assert "Labels" in steps(advice(run(labels=False), verdict("unclear")))["look"].words
    assert "more held-out samples would" in steps(advice(run(), verdict("unclear")))["look"].words.lower()


def test_a_store_whose_figures_are_older_gets_advice_by_what_it_has() -> None:
    history = run()
    old = {name: values for name, values in history.columns.items() if "calib" not in name and "temper" not in name}
    given = advice(replace(history, columns=old), verdict(kind=None))
    assert [each.measure for each in given.best] == ["accuracy", "loss"]
    assert (given.keep, given.temperature) == (LAST, None)


def test_a_path_is_quoted_in_commands() -> None:
    given = advice(replace(run(), path="my runs/a b.h5"), verdict())
    assert steps(given)["retrain"].command == "rfav recommend 'my runs/a b.h5' --out recipe.toml"
