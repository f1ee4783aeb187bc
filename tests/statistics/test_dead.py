import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfav_cli.records import Layer, Nonlinearity, Settings
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.dead import WIDTH, Dead, highest
from tests import twins

RELU = Nonlinearity("relu", ((-math.inf, 0.0),))
HARDSWISH = Nonlinearity("hardswish", ((-math.inf, -3.0), (0.0, 0.0)))
GELU = Nonlinearity("gelu", ((0.0, 0.0),))
SIGMOID = Nonlinearity("sigmoid", ())
SHRINK = Nonlinearity("softshrink", ((-0.5, 0.5),))
NEGATED = Nonlinearity("clamp", ((0.0, math.inf),))
FUNCTIONS = {
    RELU: lambda x: np.maximum(x, 0),
    HARDSWISH: lambda x: x * np.clip(x + 3, 0, 6) / 6,
    GELU: lambda x: x,  # what is zero where GELU is
    SIGMOID: lambda x: 1 / (1 + np.exp(-x)),
    SHRINK: lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    NEGATED: lambda x: np.minimum(x, 0),
}


def measured(activation, nonlinearity, cuts=()):
    layer = Layer("conv", "Conv2d", activation.shape[1], (), activation.shape[2:])
    statistic = Dead(Context((layer,), len(activation), None, Settings(), (nonlinearity,)))
    for start, stop in itertools.pairwise((0, *sorted(cuts), len(activation))):
        statistic.update_activation(0, slice(start, stop), activation[start:stop])
    return statistic.compute()["activation/dead"]


@settings(deadline=None)
@given(
    values=arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 4)),
        elements=st.sampled_from([-4, -3, -1, -0.5, 0.0, 0.25, 0.5, 2, np.nan, -np.inf, np.inf]),
    ),
    nonlinearity=st.sampled_from(list(FUNCTIONS)),
    cuts=st.sets(st.integers(1, 4)),
    last=st.booleans(),
)
def test_any_activation_is_that_of_the_twin(values, nonlinearity, cuts, last):
    if nonlinearity is not RELU:
        values = np.nan_to_num(values, posinf=9, neginf=-9)
    activation = torch.from_numpy(values)
    if last:
        activation = activation.transpose(1, 2).contiguous().transpose(1, 2)
    found = measured(activation, nonlinearity, [cut for cut in cuts if cut < len(values)])
    expected = twins.dead(np.moveaxis(values.astype(np.float64), 1, -1), FUNCTIONS[nonlinearity])
    np.testing.assert_array_equal(found, [expected if np.isfinite(values).any() else np.nan])


def test_half_of_the_filters_are_below_zero():
    activation = torch.tensor([[-1.0, 2.0, 0.0, 1e-30], [-3.0, -2.0, 0.0, -1.0]])
    np.testing.assert_array_equal(measured(activation, RELU), [0.5])
    np.testing.assert_array_equal(measured(activation, GELU), [0.25])
    np.testing.assert_array_equal(measured(activation, SIGMOID), [0.0])
    np.testing.assert_array_equal(measured(activation, None), [np.nan])


def test_a_filter_is_dead_only_if_it_is_in_all_uses_and_batches(context):
    layers = tuple(Layer(name, "Linear", 3, (3, 2), ()) for name in "ab")
    statistic = Dead(Context(layers, 2, None, Settings(), (RELU, RELU)))
    for values in ([-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]):
        statistic.update_activation(1, slice(0, 1), torch.tensor([values]))
    np.testing.assert_array_equal(statistic.compute()["activation/dead"], [np.nan, 1 / 3])


def test_without_anyone_who_looked_nothing_is_known(context):
    statistic = Dead(context())
    statistic.update_activation(0, slice(0, 5), torch.zeros(5, 4, 2, 3))
    np.testing.assert_array_equal(statistic.compute()["activation/dead"], [np.nan])


def test_the_activation_is_not_written_to():
    activation = torch.randn(3, 5, 2)
    before = activation.clone()
    for nonlinearity in FUNCTIONS:
        measured(activation, nonlinearity)
    torch.testing.assert_close(activation, before, rtol=0, atol=0)


@pytest.mark.parametrize("channels", [1, 3, 12, 64, WIDTH + 1])
@pytest.mark.parametrize("positions", [(), (1,), (7, 5), (50, 11)])
@pytest.mark.parametrize("last", [False, True])
def test_the_highest_of_each_filter_in_any_layout(channels, positions, last):
    activation = torch.randn(3, channels, *positions)
    if last:
        activation = activation.movedim(1, -1).contiguous().movedim(-1, 1)
    expected = activation.movedim(1, 0).flatten(1).amax(1)
    torch.testing.assert_close(highest(activation), expected, rtol=0, atol=0)


@pytest.mark.parametrize("nonlinearity", [RELU, GELU])
def test_a_layer_in_which_nothing_is_finite_has_no_share(nonlinearity):
    gone = torch.full((4, 3), torch.nan)
    assert np.isnan(measured(gone, nonlinearity, [2])).all()
    gone[3, 1] = 1.0
    assert measured(gone, nonlinearity, [2]) == [0.0]
