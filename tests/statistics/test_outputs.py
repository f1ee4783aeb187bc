import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfav_cli.records import Layer, Settings
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.outputs import Outputs

LAYERS = (Layer("conv1", "Conv2d", 4, (4, 1, 1, 1), (2, 3)),)


def twin(scores):
    """Classes and confidences, a sample after the other in float64; scores are no probabilities."""
    classes, confidences = [], []
    for row in scores.double().tolist():
        if any(np.isnan(row)):
            classes.append(-1)
            confidences.append(np.nan)
            continue
        best = max(row)
        classes.append(row.index(best))
        confidences.append(1 / sum(np.exp(score - best) for score in row))
    return classes, confidences


def measured(output, cuts=(), labels=None):
    size = len(output)
    statistic = Outputs(Context(LAYERS, size, labels, Settings()))
    for start, stop in itertools.pairwise((0, *cuts, size)):
        statistic.update_output(slice(start, stop), output[start:stop])
    return {name.removeprefix("probe/sample_"): value for name, value in statistic.compute().items()}


def assert_is_twin(found, expected, rtol=1e-5):
    classes, confidences = expected
    np.testing.assert_array_equal(found["prediction"], classes)
    np.testing.assert_allclose(found["confidence"], confidences, rtol)


@pytest.fixture
def scores():
    return torch.randn(11, 7, generator=torch.Generator().manual_seed(3)) * 3


@given(
    values=arrays(
        np.float32,
        st.tuples(st.integers(3, 9), st.integers(2, 6)),
        elements=st.floats(-1e4, 1e4, width=32) | st.floats(-3, 3, width=32) | st.just(np.nan),
    ),
    cut=st.integers(1, 2),
)
def test_any_scores_are_those_of_the_twin_wherever_the_batches_are_cut(values, cut):
    values[0] = -1.0  # no row of probabilities, so neither is any batch that it is in
    scores = torch.from_numpy(values[[0] * cut + list(range(len(values)))])
    assert_is_twin(measured(scores), twin(scores))
    scores = scores - 2e4  # nor is any other
    assert_is_twin(measured(scores, (cut,)), twin(scores))


@pytest.mark.parametrize("labels", [None, torch.arange(11) % 7])
def test_columns_and_their_types_are_the_same_with_labels_and_without(scores, labels):
    found = measured(scores, (4, 8), labels)
    assert {name: (value.dtype, value.shape) for name, value in found.items()} == {
        "prediction": (np.int32, (11,)),
        "confidence": (np.float32, (11,)),
    }
    assert_is_twin(found, twin(scores))


@pytest.mark.parametrize("cuts", [(), (1,), (5, 6)])
@pytest.mark.parametrize("transform", [lambda s: s.softmax(1), lambda s: s.log_softmax(1)])
def test_outputs_that_are_normalised_give_the_same(scores, transform, cuts):
    assert_is_twin(measured(transform(scores), cuts), twin(scores))


def test_probabilities_are_taken_as_they_are():
    probabilities = torch.tensor([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]])
    found = measured(probabilities)
    np.testing.assert_array_equal(found["prediction"], [1, 0, 0])
    np.testing.assert_array_equal(found["confidence"], np.float32([0.75, 1, 0.5]))


@pytest.mark.parametrize("transform", [lambda s: s, lambda s: s.softmax(1)])
def test_a_nan_is_of_its_own_sample_alone(scores, transform):
    output = transform(scores)
    output[3, 2] = torch.nan
    found, (classes, confidences) = measured(output), twin(scores)
    classes[3], confidences[3] = -1, np.nan
    assert_is_twin(found, (classes, confidences))


def test_a_score_without_bounds_has_a_class_and_no_confidence():
    found = measured(torch.tensor([[0.0, torch.inf, 2.0], [0.0, -torch.inf, 0.0]]))
    np.testing.assert_array_equal(found["prediction"], [1, 0])
    np.testing.assert_array_equal(found["confidence"], np.float32([np.nan, 0.5]))


def test_scores_of_one_size_are_as_sure_as_chance():
    for classes in (2, 10, 1000):
        found = measured(torch.full((3, classes), -7.0))
        np.testing.assert_allclose(found["confidence"], 1 / classes, 1e-6)


def test_scores_far_apart_are_certain_and_finite():
    found = measured(torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]]))
    np.testing.assert_array_equal(found["prediction"], [0, 2, 0])
    np.testing.assert_allclose(found["confidence"], [1, 1, 1 / 3], 1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_measured_in_single(scores, dtype):
    output = scores.to(dtype)
    assert_is_twin(measured(output), twin(output))


@pytest.mark.parametrize(
    "output", [torch.zeros(4, 3, 2), torch.zeros(4), torch.zeros(4, 1), torch.zeros(4, 3, dtype=torch.int64)]
)
def test_an_output_that_is_no_row_of_class_scores_has_no_columns(output):
    assert measured(output, (1,)) == {}


def test_an_output_of_another_number_of_rows_has_no_columns(context):
    statistic = Outputs(context(size=4))
    statistic.update_output(slice(0, 2), torch.zeros(2, 3))
    statistic.update_output(slice(2, 4), torch.zeros(5, 3))
    assert statistic.compute() == {}


def test_without_any_output_there_are_no_columns(context):
    assert Outputs(context(size=4)).compute() == {}
