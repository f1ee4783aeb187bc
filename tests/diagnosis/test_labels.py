import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.diagnosis.labels import _accuracy_by_another_order, label_doubts
from rfav_cli.records import History, ProbeRecord, Run


def history(labels, predictions):
    columns = {"probe/sample_prediction": np.array(predictions)} if predictions is not None else {}
    return History("x.h5", Run((), (), ProbeRecord("", len(labels), labels)), (), (), columns)


def doubt_about_labels(history):
    """What is said of the labels; nothing where they are not doubted."""
    doubts = list(label_doubts(history))
    assert all((doubt.kind, doubt.where) == ("classes", "") and doubt.certainty > 0.9 for doubt in doubts)
    return " ".join(doubt.sentence for doubt in doubts)


@pytest.fixture
def labels():
    return np.arange(1000) % 10


def knows(labels, share, seed=0):
    """Predictions that are right for a share of the samples and guesses for the others."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(labels)) < share, labels, rng.integers(0, labels.max() + 1, len(labels)))


@pytest.mark.parametrize("order", [np.roll(np.arange(10), 1), np.arange(10)[::-1]])
def test_a_net_that_knows_its_classes_in_another_order_is_found(labels, order):
    doubt = doubt_about_labels(history(labels, [knows(labels, 0.0), order[knows(labels, 0.5)]]))
    assert "--classes" in doubt
    assert "--mean" in doubt


def test_an_epoch_without_predictions_hides_nothing_of_the_others(labels):
    turned = np.roll(np.arange(10), 1)[knows(labels, 0.5)]
    assert "--classes" in doubt_about_labels(history(labels, [np.full(1000, np.nan), turned.astype(float)]))
    assert doubt_about_labels(history(labels, [np.full(1000, np.nan), knows(labels, 0.3).astype(float)])) == ""
    assert doubt_about_labels(history(labels, [np.full(1000, np.nan)])) == ""


def test_a_net_that_knows_its_classes_is_not_doubted(labels):
    assert doubt_about_labels(history(labels, [knows(labels, 0.0), knows(labels, 0.3)])) == ""


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_a_net_that_guesses_is_not_doubted(classes, seed):
    labels = np.arange(1000) % classes
    rows = [knows(labels, 0.0, seed * 100 + epoch) for epoch in range(10)]
    assert doubt_about_labels(history(labels, rows)) == ""


def test_one_answer_for_all_is_no_knowledge(labels):
    assert doubt_about_labels(history(labels, [np.full(1000, 3)])) == ""
    assert doubt_about_labels(history(labels, [np.full(1000, 700)])) == ""


def test_predictions_that_are_none_are_passed_over(labels):
    assert doubt_about_labels(history(labels, [np.full(1000, -1)])) == ""


def test_without_labels_there_is_nothing_to_doubt(labels):
    assert doubt_about_labels(history(labels, None)) == ""


@pytest.mark.parametrize("shift", [-5, 2**40])
def test_labels_of_any_size_cost_no_memory(labels, shift):
    """A store can hold any labels; the nets of ours count from 0."""
    assert doubt_about_labels(history(labels + shift, [knows(labels, 0.0)])) == ""
    assert "--classes" in doubt_about_labels(history(labels + shift, [knows(labels, 0.5)]))
    assert doubt_about_labels(history(labels[:0], [labels[:0]])) == ""


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), min_size=1, max_size=60))
def test_the_order_is_that_of_the_slow_twin(samples):
    labels, told = np.array(samples).T
    counts = np.zeros((5, 5), np.int64)
    chosen = [index for index in np.argsort(labels, kind="stable") if told[index] >= 0]
    for index in chosen[::2]:
        counts[labels[index], told[index]] += 1
    order = {}
    while counts.max() > 0:
        label, output = np.unravel_index(counts.argmax(), counts.shape)
        order[label] = output
        counts[label, :] = counts[:, output] = -1
    right = sum(order.get(labels[index]) == told[index] for index in chosen[1::2])
    assert _accuracy_by_another_order(labels, told) == right / max(1, len(chosen[1::2]))
