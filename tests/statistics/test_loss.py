import itertools

import numpy as np
import pytest
import torch

from rfav_cli.statistics.loss import Loss

LABELS = [0, 1, 2, 0]


@pytest.fixture
def scores():
    return torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [5.0, 0.0, 1.0], [1.0, 0.5, 0.0]])


def twin(scores):
    wide = scores.double().numpy()
    return -(wide - np.log(np.exp(wide).sum(1, keepdims=True)))[range(4), LABELS]


def measured(statistic, output, cuts=(0, 4)):
    for start, stop in itertools.pairwise(cuts):
        statistic.update_output(slice(start, stop), output[start:stop])
    return {name.removeprefix("probe/"): value for name, value in statistic.compute().items()}


def test_loss_and_accuracy(context, scores):
    found = measured(Loss(context(size=4, labels=LABELS)), scores, (0, 1, 4))
    np.testing.assert_allclose(found["sample_loss"], twin(scores), rtol=1e-6)
    assert found["loss"] == pytest.approx(twin(scores).mean(), rel=1e-6)
    assert found["accuracy"] == 0.75
    assert set(found) == {"loss", "accuracy", "sample_loss"}


@pytest.mark.parametrize("transform", [lambda s: s.softmax(1), lambda s: s.log_softmax(1)])
def test_outputs_that_are_normalised_give_the_same_loss(context, scores, transform):
    found = measured(Loss(context(size=4, labels=LABELS)), transform(scores))
    assert found["loss"] == pytest.approx(twin(scores).mean(), rel=1e-5)


def test_without_labels_there_is_neither(context, scores):
    found = measured(Loss(context(size=4)), scores)
    assert np.isnan(found["loss"])
    assert np.isnan(found["accuracy"])
    assert set(found) == {"loss", "accuracy"}


def test_an_output_that_is_no_row_of_scores_gives_neither(context):
    found = measured(Loss(context(size=4, labels=LABELS)), torch.zeros(4, 3, 2))
    assert np.isnan(found["loss"])
    assert np.isnan(found["accuracy"])


def test_scores_that_are_nan_are_wrong_answers(context, scores):
    scores[0] = torch.nan
    found = measured(Loss(context(size=4, labels=LABELS)), scores)
    assert np.isnan(found["loss"])
    assert found["accuracy"] == 0.5


def test_a_nan_leaves_the_losses_of_its_batch_alone(context, scores):
    expected = twin(scores)
    probabilities = scores.softmax(1)
    probabilities[1] = torch.nan
    found = measured(Loss(context(size=4, labels=LABELS)), probabilities)
    np.testing.assert_allclose(found["sample_loss"][[0, 2, 3]], expected[[0, 2, 3]], rtol=1e-5)


def test_one_score_a_sample_gives_neither(context):
    found = measured(Loss(context(size=4, labels=[0, 0, 0, 0])), torch.zeros(4, 1))
    assert np.isnan(found["loss"])
    assert np.isnan(found["accuracy"])
