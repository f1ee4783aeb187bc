import numpy as np
import torch

from rfav_cli.records import Layer
from rfav_cli.statistics.maps import Maps


def test_the_mean_map_is_over_all_samples_and_the_first_are_kept(context):
    values = torch.rand(5, 2, 3)
    statistic = Maps(context(maps=3))
    for rows in (slice(0, 2), slice(2, 4), slice(4, 5)):
        statistic.update_entropy(0, rows, values[rows])
    columns = statistic.compute()
    np.testing.assert_allclose(columns["entropy/mean_map/0"], values.mean(0).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(columns["entropy/map/0"], values[:3].numpy().astype(np.float16))


def test_no_maps_are_kept_for_zero(context):
    statistic = Maps(context(maps=0))
    statistic.update_entropy(0, slice(0, 5), torch.rand(5, 2, 3))
    assert set(statistic.compute()) == {"entropy/mean_map/0"}


def test_uses_are_averaged_and_those_of_another_shape_left_out(context):
    statistic = Maps(context(size=1, maps=1))
    for value in (1.0, 3.0):
        statistic.update_entropy(0, slice(0, 1), torch.full((1, 2, 3), value))
    statistic.update_entropy(0, slice(0, 1), torch.full((1, 7), 99.0))
    columns = statistic.compute()
    np.testing.assert_array_equal(columns["entropy/mean_map/0"], np.full((2, 3), 2.0))
    np.testing.assert_array_equal(columns["entropy/map/0"], np.full((1, 2, 3), 2.0))


def test_what_is_not_finite_is_left_out_of_the_mean_and_seen_in_the_map(context):
    values = torch.ones(2, 2, 3)
    values[0, 0, 0] = torch.nan
    values[:, 1, 1] = torch.nan
    statistic = Maps(context(size=2, maps=2))
    statistic.update_entropy(0, slice(0, 2), values)
    columns = statistic.compute()
    assert columns["entropy/mean_map/0"][0, 0] == 1.0
    assert np.isnan(columns["entropy/mean_map/0"][1, 1])
    assert np.isnan(columns["entropy/map/0"][0, 0, 0])


def test_a_dense_layer_has_one_position(context):
    statistic = Maps(context(size=3, maps=2, layers=(Layer("fc", "Linear", 4, (4, 2), ()),)))
    statistic.update_entropy(0, slice(0, 3), torch.tensor([0.0, 1.0, 2.0]))
    columns = statistic.compute()
    assert columns["entropy/mean_map/0"].shape == ()
    np.testing.assert_array_equal(columns["entropy/map/0"], [0.0, 1.0])
