"""Nets that predict no better than chance: in all epochs, since some epoch, or not at all."""

import numpy as np
import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.diagnosis.chance import find_chance
from tests.diagnosis.conftest import TOP, make_history

EPOCHS, SIZE = np.arange(-1, 19), 400
LABELS = np.arange(SIZE) % 10


def predicting(accuracies, losses=None, *, labelled=True, same=False, seed=0):
    """A run of the given accuracies, whose losses are those of guessing where the accuracy is 0.1 and 1 elsewhere."""
    random = np.random.default_rng(seed)
    accuracies = np.broadcast_to(accuracies, EPOCHS.shape)
    right = random.random((len(EPOCHS), SIZE)) < ((accuracies - 0.1) / 0.9)[:, None]
    predicted = np.where(right, LABELS, 3 if same else random.integers(0, 10, (len(EPOCHS), SIZE)))
    loss = np.where(accuracies > 0.1, 1.0, np.log(10)) if losses is None else np.broadcast_to(losses, EPOCHS.shape)
    spread = 0.1 * random.standard_normal((len(EPOCHS), SIZE))
    return make_history(
        EPOCHS,
        {"fc": np.full(len(EPOCHS), TOP)},
        loss[:, None] + spread - spread.mean(1, keepdims=True) if labelled else None,
        probe__sample_prediction=predicted,
        probe__sample_confidence=np.full(predicted.shape, 0.5),
        **({"probe__accuracy": (predicted == LABELS).mean(1)} if labelled else {}),
    )


@pytest.mark.parametrize("losses", [np.log(10), 2.5, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_chance_in_all_epochs_is_not_learning(losses, seed):
    run = judge(predicting(0.1, losses, seed=seed)).run
    assert (run.state, run.onset) == ("not learning", None)
    assert run.reason.startswith("not learning: the predictions are no better than chance in any epoch: held-out loss")
    assert "2.3 nat and 10.0% by guessing" in run.reason


@pytest.mark.parametrize("since", [3, 10, 18])
@pytest.mark.parametrize("seed", range(3))
def test_a_fall_to_chance_is_broken(since, seed):
    run = judge(predicting(np.where(since > EPOCHS, 0.6, 0.1), seed=seed)).run
    assert (run.state, run.onset.epoch, run.onset.at_or_before) == ("broken", since, False)
    assert run.reason.startswith(f"broken since epoch {since}: accuracy ")
    assert f"at epoch {since} and no better than chance from there on" in run.reason
    assert run.probability is None


@pytest.mark.parametrize(
    "accuracies", [0.6, np.where(EPOCHS < 9, 0.1, 0.5), np.where((EPOCHS > 4) & (EPOCHS < 9), 0.1, 0.6)]
)
def test_a_net_that_knows_something_at_the_end_is_neither(accuracies):
    assert find_chance(predicting(accuracies)) is None


def test_an_overconfident_net_that_is_right_more_often_than_by_guessing_is_not_broken():
    assert find_chance(predicting(0.3, 8.0)) is None


def test_a_net_whose_loss_is_below_that_of_guessing_has_learnt_something():
    assert find_chance(predicting(0.1, 2.0)) is None


def test_the_same_prediction_for_all_is_said():
    words = find_chance(predicting(0.1, same=True)).words
    assert words.endswith("; the prediction is the same for all samples")
    assert "the same for all" not in find_chance(predicting(0.1)).words


@pytest.mark.parametrize(("accuracies", "state"), [(0.1, "not learning"), (np.where(EPOCHS < 9, 0.6, 0.1), "broken")])
def test_without_labels_the_same_prediction_for_all_tells(accuracies, state):
    run = judge(predicting(accuracies, labelled=False, same=True)).run
    assert run.state == state
    assert "the prediction is the same for all 200 samples" in run.reason


@pytest.mark.parametrize("since", [5, 12, 18])
@pytest.mark.parametrize("seed", range(3))
def test_without_labels_predictions_that_have_nothing_in_common_with_those_before_tell(since, seed):
    found = find_chance(predicting(np.where(since > EPOCHS, 0.6, 0.1), labelled=False, seed=seed))
    assert (found.state, found.onset.epoch) == ("broken", since)
    assert found.words == f"from epoch {since} to the last, the predictions have nothing in common with those before"


@pytest.mark.parametrize("since", [4, 9])
def test_without_labels_a_net_that_begins_with_one_class_and_learns_later_is_not_broken(since):
    history = predicting(0.6, labelled=False)
    predicted = history.columns["probe/sample_prediction"]
    begins = (since > EPOCHS)[:, None] & (np.arange(SIZE) > 20)  # all but some samples
    history.columns["probe/sample_prediction"] = np.where(begins, 3, predicted)
    assert find_chance(history) is None


@pytest.mark.parametrize(
    "accuracies", [0.1, 0.6, np.linspace(0.1, 0.9, 20), np.where(EPOCHS < 9, 0.1, 0.6), np.where(EPOCHS == 9, 0.1, 0.6)]
)
def test_without_labels_a_net_that_learns_or_that_comes_back_is_not_broken(accuracies):
    assert find_chance(predicting(accuracies, labelled=False)) is None


def test_a_probe_that_is_nearly_all_of_one_class_tells_nothing():
    history = predicting(0.1, 0.01, same=True)
    history.run.probe.labels[:] = 3
    history.columns["probe/accuracy"][:] = 1.0
    assert find_chance(history) is None


def test_an_unbalanced_probe_is_held_against_its_most_frequent_class():
    labels = np.where(np.arange(SIZE) < 320, 3, LABELS)
    history = predicting(0.1, 1.5, same=True)
    history.run.probe.labels[:] = labels
    history.columns["probe/accuracy"][:] = (labels == 3).mean()
    assert find_chance(history).state == "not learning"
    history.columns["probe/loss"][:] = 0.3
    assert find_chance(history) is None


def test_few_samples_tell_nothing():
    history = make_history(
        EPOCHS,
        {},
        np.full((20, 20), np.log(10)),
        probe__sample_prediction=np.full((20, 20), 3),
        probe__accuracy=np.full(20, 0.1),
    )
    assert find_chance(history) is None


def test_a_checkpoint_from_before_training_alone_is_not_broken():
    """It may know more than what follows: a net that is fine-tuned."""
    history = predicting(np.where(EPOCHS < 0, 0.6, 0.1))
    assert find_chance(history).state == "not learning"
