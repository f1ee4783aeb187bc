import numpy as np
import pytest
import torch

from rfav_cli.statistics import correlation
from rfav_cli.statistics.correlation import Correlation
from tests import twins


def measured(context, filters, **settings):
    statistic = Correlation(context(**settings))
    statistic.update_filters(0, filters)
    return {name.removeprefix("correlation/"): values[0] for name, values in statistic.compute().items()}


@pytest.mark.parametrize("shape", [(1, 7, 5), (3, 4, 6), (1, 2, 2)])
@pytest.mark.parametrize("block", [1, 12, 1 << 20])
def test_figures_equal_numpy_whatever_the_blocks(context, monkeypatch, shape, block):
    monkeypatch.setattr(correlation, "BLOCK_WEIGHTS", block)
    filters = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    pairs = twins.correlations([group.double().numpy() for group in filters])
    found = measured(context, filters)
    assert found["mean"] == pytest.approx(pairs.mean(), rel=1e-9)
    assert found["abs_mean"] == pytest.approx(np.abs(pairs).mean(), rel=1e-9)
    assert found["degenerate"] == 0
    np.testing.assert_array_equal(
        found["histogram"], np.bincount(np.rint(pairs * 100).astype(int) + 100, minlength=201)
    )


@pytest.mark.parametrize("block", [1, 1 << 20])
def test_the_printed_centering_pins_the_sum_at_minus_half_the_filters(context, monkeypatch, block):
    monkeypatch.setattr(correlation, "BLOCK_WEIGHTS", block)
    torch.manual_seed(0)
    filters = torch.nn.functional.normalize(torch.randn(1, 2, 50), dim=-1)
    assert measured(context, filters, centering="paper")["mean"] == pytest.approx(-1, abs=1e-5)


def test_degenerate_filters_are_counted_and_count_as_zero(context):
    filters = torch.tensor([[[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [5.0, 5.0, 5.0], [0.0, 0.0, 0.0]]])
    found = measured(context, filters)
    assert found["degenerate"] == 2
    assert found["mean"] == pytest.approx(1 / 6)
    assert found["histogram"][200] == 1
    assert found["histogram"][100] == 5


@pytest.mark.parametrize("centering", ["pearson", "paper"])
@pytest.mark.parametrize("block", [1, 1 << 20])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_filters_that_are_not_finite_are_counted_and_their_pairs_left_out(
    context, monkeypatch, block, centering, value
):
    monkeypatch.setattr(correlation, "BLOCK_WEIGHTS", block)
    filters = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(3))
    expected = measured(context, filters[:, [0, 2, 5]], centering=centering)
    filters[:, [1, 3, 4], [0, 2, 4]] = value
    found = measured(context, filters, centering=centering)
    assert (expected.pop("degenerate"), found.pop("degenerate")) == (0, 6)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)


def test_groups_count_by_their_finite_pairs(context):
    filters = torch.tensor([[[1.0, 2.0], [2.0, 3.0], [3.0, 5.0]], [[1.0, 2.0], [2.0, 1.0], [torch.nan, 0.0]]])
    found = measured(context, filters)
    assert found["mean"] == pytest.approx((1 + 1 + 1 - 1) / 4)
    assert found["histogram"].sum() == 4


@pytest.mark.parametrize("finite", [0, 1])
def test_without_a_pair_of_finite_filters_there_is_no_correlation(context, finite):
    filters = torch.full((1, 4, 9), torch.nan)
    filters[0, :finite] = torch.arange(9.0)
    found = measured(context, filters)
    assert np.isnan(found["mean"])
    assert np.isnan(found["abs_mean"])
    assert found["degenerate"] == 4 - finite
    assert found["histogram"].sum() == 0


@pytest.mark.parametrize("shape", [(8, 1, 9), (1, 8, 1)])
def test_one_filter_a_group_or_one_weight_a_filter_has_no_correlation(context, shape):
    found = measured(context, torch.ones(shape))
    assert np.isnan(found["mean"])
    assert np.isnan(found["abs_mean"])
    assert found["histogram"].sum() == 0
