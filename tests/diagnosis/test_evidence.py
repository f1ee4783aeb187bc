"""What a verdict rests on: the loss with labels, the answers without, or neither."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.diagnosis.evidence import find_evidence, missing_evidence
from rfav_cli.diagnosis.track_record import CONFIDENCE, ENTROPY, LOSS, TRACK_RECORDS
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import TOP, answers_of, falling, learning, make_history, overfitting, sample_losses

T = Thresholds()
EVERY, SINCE, SIZE = np.arange(-1, 40), 15, 400
CALM = np.full(41, 0.7), np.full(41, 0.2)
SURE = 0.7 + 1.3 * np.clip((EVERY - SINCE) / (39 - SINCE), 0, 1), np.full(41, 0.2)


def answering(course=SURE, entropies=None, losses=None, epochs=EVERY, seed=0):
    """A run whose answers are kept."""
    predictions, confidences = answers_of(*course, SIZE, seed)
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
        assert bad == find_evidence(make_history(EVERY, {}, rising()), T)


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


def test_the_words_of_the_answers_are_the_figures():
    found = find_evidence(answering(), Thresholds(smoothing=0.0, overconfidence=1.25))
    assert found
    figures = re.fullmatch(
        r"from one checkpoint to the next, the net changes (\S+) times as many predictions as its own uncertainty"
        r" allows at epoch (\d+) \(limit 1\.25; (\S+) at its lowest, (\S+) at the end\)",
        found.words,
    )
    assert figures
    predictions, confidences = answers_of(*SURE, SIZE)
    changed = (predictions[2:] != predictions[1:-1]).mean(1)
    ratio = changed / (1 - (confidences[2:] + confidences[1:-1]) / 2).mean(1)
    top = int(np.argmax(ratio))
    assert int(figures[2]) == 1 + top
    assert (figures[1], figures[4]) == (f"{ratio[top]:.2f}", f"{ratio[-1]:.2f}")
    assert figures[3] == f"{ratio[: top + 1].min():.2f}"


def test_a_net_without_doubt_has_words_too():
    history = answering(entropies={"fc": np.full(41, TOP)})
    history.columns["probe/sample_confidence"][:] = 1.0
    assert "changes over 100 times as many predictions" in judge(history).run.reason
    history.columns["probe/sample_prediction"][:] = 3
    quiet = judge(history).run
    assert (quiet.state, quiet.basis, quiet.probability) == ("healthy", CONFIDENCE, 0.0)
    assert "changes 0.00 times as many predictions" in quiet.reason


@pytest.mark.parametrize("seed", range(5))
def test_overfitting_without_labels(seed):
    entropies = {"stable": falling(EVERY, SINCE, 0.0), "collapsed": falling(EVERY, SINCE, T.collapse + 0.3)}
    verdict = judge(answering(SURE, entropies, seed=seed))
    run = verdict.run
    assert (run.state, run.basis) == ("overfitting", CONFIDENCE)
    assert run.probability > 0.99
    assert run.onset.epoch == pytest.approx(SINCE, abs=6)
    assert run.reason.startswith(f"likely overfitting since epoch {run.onset.epoch}: from one checkpoint to the next")
    assert run.reason.endswith(f"entropy collapses in collapsed ({TRACK_RECORDS[CONFIDENCE].words})")
    assert [layer.state for layer in verdict.layers] == ["stable", "collapsed"]


def test_healthy_without_labels():
    verdict = judge(answering(CALM, {"fc": falling(EVERY, 0, (T.collapse_alone + T.sparse) / 2)}))
    assert (verdict.run.state, verdict.run.basis, verdict.run.onset) == ("healthy", CONFIDENCE, None)
    assert verdict.run.probability < 1 - T.certainty
    assert verdict.layers[0].state == "stable"
    assert "than its own" not in verdict.run.reason
    assert "its own uncertainty allows" in verdict.run.reason


def test_sparsifying_without_labels():
    verdict = judge(answering(CALM, {"conv": np.full(41, TOP), "fc": falling(EVERY, 5, (1 + T.sparse) / 2)}))
    assert (verdict.run.state, verdict.run.basis) == ("sparsifying", CONFIDENCE)
    assert verdict.run.reason.startswith("entropy collapses in fc, but no overfitting: from one checkpoint to the next")
    assert verdict.run.onset == verdict.layers[1].onset


def test_the_entropy_alone_says_less_than_with_the_answers():
    entropies = {"fc": falling(EVERY, 5, (T.collapse_alone + T.sparse) / 2)}
    alone, both = judge(make_history(EVERY, entropies)), judge(answering(CALM, entropies))
    assert (alone.run.state, alone.run.basis, alone.run.probability) == ("overfitting", ENTROPY, None)
    assert alone.run.reason == f"likely overfitting: entropy collapses in fc ({TRACK_RECORDS[ENTROPY].words})"
    assert both.run.state == "healthy"


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
    assert run.onset.epoch == pytest.approx(judge(answering()).run.onset.epoch, abs=3)


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
    assert labelled == judge(make_history(EVERY, entropies))


@pytest.mark.parametrize("trained", [T.fewest - 1, T.fewest])
def test_answers_of_too_few_trained_epochs_are_no_evidence(trained):
    epochs = np.arange(-1, trained)
    course = np.full(trained + 1, 0.7), np.full(trained + 1, 0.2)
    history = answering(course, epochs=epochs)
    assert judge(history).run.basis == ("entropy alone" if trained < T.fewest else CONFIDENCE)


@pytest.mark.parametrize("step", [1, 10])
@pytest.mark.parametrize("doubt", [0.3, 0.01])
@pytest.mark.parametrize("seed", range(3))
def test_more_of_the_same_plateau_is_never_flagged(doubt, step, seed):
    for count in (10, 40, 160):
        epochs = np.arange(count) * step
        ratio, doubts = 0.7 + 0.8 * np.exp(-np.arange(count) / 2), doubt + 0.2 * np.exp(-np.arange(count) / 5)
        verdict = judge(answering((ratio, doubts), epochs=epochs, seed=seed))
        assert (verdict.run.state, verdict.run.basis) == ("healthy", CONFIDENCE)


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
