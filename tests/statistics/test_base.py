import pytest
import torch

from rfav_cli.records import Layer, Nonlinearity, Settings
from rfav_cli.statistics.base import (
    Context,
    applied,
    are_class_scores,
    are_probabilities,
    confidences,
    predicted_classes,
)


def test_a_nonlinearity_is_applied_with_its_arguments():
    values = torch.tensor([-2.0, 0.0, 3.0])
    assert applied(Nonlinearity("leaky_relu", ((0.0, 0.0),), (("negative_slope", 0.5),)), values).tolist() == [-1, 0, 3]
    assert applied(Nonlinearity("log_sigmoid_forward", ()), values).shape == (3,)


def test_without_anyone_who_looked_no_nonlinearity_is_known():
    layers, relu = (Layer("a", "Linear", 2, (), ()),), Nonlinearity("relu", ())
    assert Context(layers, 1, None, Settings()).nonlinearity(0) is None
    assert Context(layers, 1, None, Settings(), (relu,)).nonlinearity(0) == relu


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_row_of_floating_point_a_sample_is_one_of_class_scores(dtype):
    assert are_class_scores(torch.zeros(5, 2, dtype=dtype), 5)


@pytest.mark.parametrize(
    "output",
    [torch.zeros(5), torch.zeros(5, 1), torch.zeros(5, 3, 2), torch.zeros(4, 3), torch.zeros(5, 3, dtype=torch.int64)],
)
def test_other_outputs_are_no_class_scores(output):
    assert not are_class_scores(output, 5)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0.2, 0.8], [1.0, 0.0]], True),
        ([[0.2, 0.8004], [1.0, 0.0]], True),
        ([[0.2, 0.8], [torch.nan, 0.4]], True),
        ([[0.2, 0.9], [torch.nan, 0.4]], False),
        ([[-0.2, 1.2], [1.0, 0.0]], False),
        ([[0.0, 0.0], [1.0, 0.0]], False),
        ([[torch.inf, 0.0], [1.0, 0.0]], False),
    ],
)
def test_probabilities_are_told_by_their_sum(rows, expected):
    assert are_probabilities(torch.tensor(rows)) is expected


def test_the_class_is_that_of_the_highest_score():
    scores = torch.tensor([[1.0, 3.0, 3.0], [-torch.inf, -1e9, -2e9], [9.0, torch.nan, 0.0], [0.0, 1.0, torch.inf]])
    assert predicted_classes(scores).tolist() == [1, 1, -1, 2]
    assert predicted_classes(scores).dtype == torch.int32


def test_a_confidence_is_the_highest_probability_of_scores_their_logarithms_or_probabilities():
    scores = torch.tensor([[0.0, 2.0, -1.0], [5.0, 5.0, -torch.inf]])
    expected = scores.softmax(1).amax(1)
    for given in (scores, scores.log_softmax(1), scores.softmax(1)):
        torch.testing.assert_close(confidences(given), expected)


@pytest.mark.parametrize("score", [torch.nan, torch.inf])
def test_where_softmax_has_no_value_neither_has_the_confidence(score):
    assert confidences(torch.tensor([[score, 1.0], [0.0, 0.0]])).tolist() == pytest.approx(
        [torch.nan, 0.5], nan_ok=True
    )
