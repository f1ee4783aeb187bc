import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.records import Layer, Settings
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.entropy import Entropy


def test_batches_of_any_size_add_up_to_the_mean_and_deviation_of_all(context):
    values = torch.rand(5, 2, 3)
    statistic = Entropy(context())
    for rows in (slice(0, 2), slice(2, 5)):
        statistic.update_entropy(0, rows, values[rows])
    columns = statistic.compute()
    wide = values.double().numpy()
    np.testing.assert_allclose(columns["entropy/mean"], [wide.mean()], rtol=1e-12)
    np.testing.assert_allclose(columns["entropy/std"], [wide.std()], rtol=1e-9)
    np.testing.assert_allclose(columns["entropy/sample_mean"], [wide.mean((1, 2))], rtol=1e-6)


def test_the_uses_of_a_layer_are_pooled_by_their_positions(context):
    statistic = Entropy(context(size=1))
    statistic.update_entropy(0, slice(0, 1), torch.zeros(1, 2, 3))
    statistic.update_entropy(0, slice(0, 1), torch.ones(1, 2))
    assert statistic.compute()["entropy/mean"] == pytest.approx(2 / 8)


def test_what_is_not_finite_is_left_out_and_counted(context):
    values = torch.ones(2, 2, 3)
    values[0, 0, 0] = torch.nan
    values[1] = torch.nan
    statistic = Entropy(context(size=2))
    statistic.update_entropy(0, slice(0, 2), values)
    columns = statistic.compute()
    assert columns["nonfinite"] == [7]
    assert columns["entropy/mean"] == [1.0]
    assert columns["entropy/std"] == [0.0]
    np.testing.assert_array_equal(columns["entropy/sample_mean"], [[1.0, np.nan]])


def test_one_channel_has_no_entropy(context):
    layer = Layer("conv1", "Conv2d", 1, (1, 1, 1, 1), (2, 3))
    statistic = Entropy(context(size=1, layers=(layer,)))
    statistic.update_entropy(0, slice(0, 1), torch.zeros(1, 2, 3))
    columns = statistic.compute()
    assert np.isnan([*columns["entropy/mean"], *columns["entropy/std"], *columns["entropy/sample_mean"][0]]).all()


@settings(deadline=None, max_examples=30)
@given(cuts=st.lists(st.integers(1, 11), unique=True), seed=st.integers(0, 2**16))
def test_the_figures_do_not_depend_on_how_samples_are_batched(cuts, seed):
    values = torch.rand(12, 3, generator=torch.Generator().manual_seed(seed)) * 3
    layers = (Layer("fc", "Linear", 8, (8, 4), (3,)),)
    whole, parts = (Entropy(Context(layers, 12, None, Settings())) for _ in range(2))
    whole.update_entropy(0, slice(0, 12), values)
    bounds = [0, *sorted(cuts), 12]
    for start, stop in itertools.pairwise(bounds):
        parts.update_entropy(0, slice(start, stop), values[start:stop])
    for name, expected in whole.compute().items():
        np.testing.assert_array_equal(parts.compute()[name], expected)
