"""What a verdict rests on: the loss with labels, the answers without, or neither."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.diagnosis.evidence import find_evidence, missing_evidence
from rfav_cli.diagnosis.layer_states import ENTROPY as MOST_ENTROPY
from rfav_cli.diagnosis.track_record import CONFIDENCE, ENTROPY, LOSS, TRACK_RECORDS
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import (
    TOP,
    calibrated_predictions,
    falling,
    learning,
    make_history,
    overfitting,
    sample_losses,
)

T = Thresholds()
EVERY, SINCE, SIZE = np.arange(-1, 40), 15, 400
CALM, SURE = 2.0, 0.4
"""What a net says of its uncertainty at the end, as a multiple of what it is: enough, and too little."""


def answering(said=SURE, entropies=None, losses=None, epochs=EVERY, seed=0):
    """A run whose predictions are kept; from epoch `SINCE` on, less and less is said of its uncertainty."""
    predictions, confidences = calibrated_predictions(len(epochs), 0.25, SIZE, seed)
    gone = np.clip((epochs - SINCE) / max(epochs[-1] - SINCE, 1), 0, 1)[:, None]
    confidences = 1 - np.clip((1 - confidences) * (2.0 + (said - 2.0) * gone), 0, 1)
    return make_history(
        epochs,
        {"fc": np.full(len(epochs), 0.9 * TOP)} if entropies is None else entropies,
        losses,
        probe__sample_prediction=predictions,
        probe__sample_confidence=confidences,
    )


def rising(seed=0):
    return sample_losses(overfitting(EVERY, SINCE, 0.4), wobble=0.01, seed=seed, size=SIZE)


def level():
    return sample_losses(learning(EVERY, 20), size=SIZE)


def test_the_loss_goes_before_the_answers():
    for course in (CALM, SURE):
        bad, good = (find_evidence(answering(course, losses=losses), T) for losses in (rising(), level()))
        assert bad
        assert good
        assert (bad.basis, good.basis) == (LOSS, LOSS)
        assert bad.probability > 0.99
        assert good.probability < 0.1
        bare = find_evidence(make_history(EVERY, {}, rising()), T)
    assert bare
    assert (bare.onset, bare.kind) == (bad.onset, None)


def test_without_labels_the_answers_are_the_evidence():
    bad, good = (find_evidence(answering(course), T) for course in (SURE, CALM))
    assert bad
    assert good
    assert (bad.basis, good.basis) == (CONFIDENCE, CONFIDENCE)
    assert bad.probability > 0.99
    assert good.probability < 0.1
    assert bad.onset.low <= bad.onset.epoch <= bad.onset.high


def test_with_neither_there_is_none():
    assert find_evidence(make_history(EVERY, {"fc": np.full(41, TOP)}), T) is None


def test_the_words_of_the_predictions_are_the_figures():
    history = answering()
    found = find_evidence(history, Thresholds(disagreement=1.25))
    assert found
    figures = re.fullmatch(
        r"epochs (\d+) and (\d+) disagree on (\S+)% of the samples and are unsure of (\S+)% together, a ratio of (\S+) "
        r"\(limit 1\.25\)",
        found.words,
    )
    assert figures
    first, second = (int(figures[group]) + 1 for group in (1, 2))
    predicted, confidences = (history.columns[f"probe/sample_{name}"] for name in ("prediction", "confidence"))
    disagreement = (predicted[first] != predicted[second]).mean()
    allowed = (2 - confidences[first] - confidences[second]).mean()
    assert [float(figures[group]) for group in (3, 4)] == pytest.approx([100 * disagreement, 100 * allowed], abs=0.06)
    assert float(figures[5]) == pytest.approx(disagreement / allowed, abs=0.006)


def test_a_net_that_is_sure_of_all_has_words_too():
    history = answering(entropies={"fc": np.full(41, TOP)})
    history.columns["probe/sample_confidence"][:] = 1.0
    assert "a ratio of over 100" in judge(history).run.reason
    history.columns["probe/sample_prediction"][:] = np.arange(SIZE) % 3
    quiet = judge(history).run
    assert (quiet.state, quiet.basis, quiet.probability) == ("unclear", CONFIDENCE, None)
    assert "a ratio of 0.00" in quiet.reason


@pytest.mark.parametrize("seed", range(5))
def test_overfitting_without_labels(seed):
    entropies = {"stable": falling(EVERY, SINCE, 0.0), "collapsed": falling(EVERY, SINCE, T.collapse + 0.5)}
    verdict = judge(answering(SURE, entropies, seed=seed))
    run = verdict.run
    assert (run.state, run.basis, run.kind) == ("overfitting", CONFIDENCE, None)
    assert run.probability == run.confidence > 0.99
    assert run.onset.epoch == pytest.approx(SINCE, abs=10)
    assert run.reason.startswith(f"likely overfitting since epoch {run.onset.epoch}: epochs ")
    assert run.reason.endswith(
        f"the entropy collapses in collapsed ({TRACK_RECORDS[CONFIDENCE, 'not known'].words('not known')})"
    )
    assert [layer.state for layer in verdict.layers] == ["stable", "collapsed"]


@pytest.mark.parametrize("by", [0.2, 0.99])
def test_what_sees_nothing_without_labels_is_no_evidence_either_way(by):
    verdict = judge(answering(CALM, {"fc": falling(EVERY, 0, by)}))
    run = verdict.run
    assert (run.state, run.basis, run.onset, run.probability, run.confidence) == (
        "unclear",
        CONFIDENCE,
        None,
        None,
        None,
    )
    assert run.reason.startswith("unclear whether it overfits, no evidence either way: epochs ")
    assert run.reason.endswith("labels for the probe would decide it")
    assert verdict.layers[0].state == ("stable" if by < MOST_ENTROPY else "collapsed")


@pytest.mark.parametrize(("surer", "state"), [(0.4, "overfitting"), (0.0, "unclear")])
def test_a_gap_in_confidence_counts_without_labels(surer, state):
    """Checkpoints that are wrong alike do not disagree, but are surer of what they were trained on."""
    history = answering(CALM)
    held_out = history.columns["probe/sample_confidence"]
    grown = surer * np.clip((EVERY - SINCE) / 10, 0, 1)[:, None]
    history.columns["train/sample_confidence"] = np.clip(held_out[:, ::2] + grown, 0, 1)
    run = judge(history).run
    assert (run.state, run.basis) == (state, CONFIDENCE)
    assert "the net's mean confidence at epoch 39 is " in run.reason
    if surer:
        assert run.onset.epoch == pytest.approx(SINCE, abs=5)


def test_the_entropy_alone_says_less_than_with_the_predictions():
    entropies = {"fc": falling(EVERY, 5, (1 + MOST_ENTROPY) / 2)}
    alone, both = judge(make_history(EVERY, entropies)), judge(answering(SURE, entropies))
    assert (alone.run.state, alone.run.basis, alone.run.probability) == ("sparsifying", ENTROPY, None)
    assert "whether it overfits is not known" in alone.run.reason
    assert both.run.state == "overfitting"


@pytest.mark.parametrize("column", ["probe/sample_confidence", "probe/sample_prediction"])
@pytest.mark.parametrize("samples", [1, SIZE])
def test_a_run_without_labels_whose_scores_are_not_finite_diverged(column, samples):
    history = answering()
    history.columns[column][-1, :samples] = -1 if column == "probe/sample_prediction" else np.nan
    run = judge(history).run
    assert (run.state, run.basis, run.probability) == ("diverged", "class scores", None)
    assert (run.onset.low, run.onset.epoch, run.onset.high) == (39, 39, 39)
    assert run.reason.startswith("diverged since epoch 39: the class scores are not finite at epoch 39, the last")


def test_a_run_without_labels_or_answers_whose_entropy_is_not_finite_diverged():
    history = make_history(EVERY, {"conv": np.full(41, TOP), "fc": np.full(41, TOP)})
    history.columns["entropy/mean"][-1, 1] = np.nan
    run = judge(history).run
    assert (run.state, run.basis, run.onset.epoch) == ("diverged", "entropy", 39)
    assert "the entropy is not finite in fc at epoch 39, the last" in run.reason


def test_epochs_whose_answers_are_not_finite_in_the_middle_are_passed_over():
    history = answering()
    history.columns["probe/sample_confidence"][[4, 20]] = np.nan
    history.columns["probe/sample_prediction"][30, 7] = -1
    run = judge(history).run
    assert (run.state, run.basis) == ("overfitting", CONFIDENCE)
    assert run.onset.epoch == pytest.approx(judge(answering()).run.onset.epoch, abs=5)


@pytest.mark.parametrize("answered", [True, False])
def test_a_loss_that_is_hardly_ever_finite_is_not_made_up_for_by_the_answers(answered):
    history = answering(losses=rising()) if answered else make_history(EVERY, {"fc": np.full(41, TOP)}, rising())
    for name in ("probe/loss", "probe/sample_loss"):
        history.columns[name][: -T.fewest + 1] = np.nan
    verdict = judge(history)
    assert (verdict.run.state, verdict.run.basis) == ("unknown", "")
    assert verdict.run.reason == f"the held-out loss is finite in fewer than {T.fewest} epochs"


def test_a_labelled_net_whose_scores_are_never_finite_diverged():
    history = answering(losses=np.full((41, SIZE), np.nan))
    history.columns["probe/sample_confidence"][:] = np.nan
    history.columns["probe/sample_prediction"][:] = -1
    run = judge(history).run
    assert run.state == "unknown"
    assert "held-out loss of the last epoch, 39, is not finite" in run.reason


@pytest.mark.parametrize("by", [0.0, 0.9])
def test_a_labelled_net_without_class_scores_is_judged_by_its_entropy(by):
    entropies = {"conv": np.full(41, TOP), "fc": falling(EVERY, 5, by)}
    labelled = judge(make_history(EVERY, entropies, np.full((41, SIZE), np.nan)))
    assert labelled.run.basis == "entropy alone"
    bare = judge(make_history(EVERY, entropies))
    assert (labelled.run, labelled.layers) == (bare.run, bare.layers)


@pytest.mark.parametrize("trained", [T.fewest - 1, T.fewest])
def test_answers_of_too_few_trained_epochs_are_no_evidence(trained):
    epochs = np.arange(-1, trained)
    history = answering(CALM, epochs=epochs)
    assert judge(history).run.basis == ("entropy alone" if trained < T.fewest else CONFIDENCE)


@pytest.mark.parametrize("seed", range(3))
def test_more_checkpoints_that_are_calibrated_are_never_flagged(seed):
    for count in (10, 40, 160):
        verdict = judge(answering(CALM, epochs=np.arange(count), seed=seed))
        assert (verdict.run.state, verdict.run.basis) == ("unclear", CONFIDENCE)


def test_nothing_is_missing_where_there_is_evidence_or_can_be_none():
    for history in (answering(), answering(losses=rising()), make_history(EVERY, {})):
        assert missing_evidence(history, find_evidence(history, T), T) == ""


def test_a_probe_without_samples_tells_nothing():
    """No analysis writes one, but a gate must not be opened by a mean of nothing."""
    history = answering(losses=rising())
    nothing = {
        "probe/loss": np.full(41, np.nan),
        "probe/sample_loss": np.empty((41, 0)),
        "probe/sample_prediction": np.empty((41, 0), np.int64),
        "probe/sample_confidence": np.empty((41, 0)),
    }
    run = replace(history.run, probe=replace(history.run.probe, size=0, labels=np.empty(0, np.int64)))
    labelled = replace(history, run=run, columns={**history.columns, **nothing})
    assert find_evidence(labelled, T) is None
    unlabelled = replace(labelled, run=replace(run, probe=replace(run.probe, labels=None)))
    assert find_evidence(unlabelled, T) is None
    assert judge(unlabelled).run.basis == ENTROPY
