import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfav_cli.records import Layer, Settings
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.winners import Winners
from tests import twins


def measured(activation, cuts=()):
    layer = Layer("conv", "Conv2d", activation.shape[1], (), activation.shape[2:])
    statistic = Winners(Context((layer,), len(activation), None, Settings()))
    for start, stop in itertools.pairwise((0, *sorted(cuts), len(activation))):
        statistic.update_activation(0, slice(start, stop), activation[start:stop])
    return statistic.compute()["activation/winners/0"]


@settings(deadline=None)
@given(
    values=arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 4)),
        elements=st.sampled_from([-1, 0, 2, 3, np.nan, -np.inf, np.inf]) | st.floats(-9, 9, width=32),
    ),
    cuts=st.sets(st.integers(1, 4)),
    last=st.booleans(),
)
def test_any_activation_is_that_of_the_twin(values, cuts, last):
    activation = torch.from_numpy(values)
    if last:
        activation = activation.transpose(1, 2).contiguous().transpose(1, 2)
    found = measured(activation, [cut for cut in cuts if cut < len(values)])
    np.testing.assert_array_equal(found, twins.winners(np.moveaxis(values, 1, -1)).astype(np.float32))
    assert np.isnan(found).all() or found.sum() == pytest.approx(1)


def test_each_filter_has_the_share_that_it_wins():
    """Of 8 positions, filter k is raised at k of them, and the last at the other."""
    activation = torch.zeros(1, 4, 8)
    for position, filter_ in enumerate([1, 2, 2, 3, 3, 3, 3, 3]):
        activation[0, filter_, position] = 1
    np.testing.assert_array_equal(measured(activation), [0, 1 / 8, 2 / 8, 5 / 8])


def test_the_first_of_the_largest_wins():
    np.testing.assert_array_equal(measured(torch.zeros(2, 3, 4)), [1, 0, 0])


def test_positions_without_a_largest_number_are_left_out():
    activation = torch.tensor([[0.0, 1.0], [torch.nan, 1.0], [torch.inf, 1.0], [-torch.inf, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(measured(activation), [1 / 3, 2 / 3], rtol=1e-6)
    np.testing.assert_array_equal(measured(torch.full((2, 3), torch.nan)), [np.nan] * 3)


def test_uses_are_pooled_by_their_positions(context):
    statistic = Winners(context(size=1))
    statistic.update_activation(0, slice(0, 1), torch.eye(4)[[1]].view(1, 4, 1).expand(1, 4, 6))
    statistic.update_activation(0, slice(0, 1), torch.eye(4)[[2]].view(1, 4, 1, 1).expand(1, 4, 1, 2))
    columns = statistic.compute()
    np.testing.assert_array_equal(columns["activation/winners/0"], [0, 0.75, 0.25, 0])
    assert columns["activation/winners/0"].dtype == np.float32


def test_the_shares_of_many_positions_add_up():
    found = measured(torch.randn(7, 300, 61, generator=torch.Generator().manual_seed(2)), (3,))
    assert found.sum(dtype=np.float64) == pytest.approx(1, abs=1e-6)


def test_numbers_whose_sum_overflows_are_finite_all_the_same():
    activation = torch.full((8, 2, 5), 3e38)
    activation[:, 0] = -3e38
    np.testing.assert_array_equal(measured(activation), [0, 1])
