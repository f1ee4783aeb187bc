"""Scale, shape and effective rank: against a slow reference, closed forms, and what rescaled filters leave alone."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfav_cli.records import Layer, Nonlinearity, Settings
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.shape import MOST_NUMBERS, MOST_VECTORS, Shape, effective_rank, kept_places, scale_shape_rank
from tests import twins

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

RELU = Nonlinearity("relu", ((-math.inf, 0.0),))
LEAKY = Nonlinearity("leaky_relu", ((0.0, 0.0),), (("negative_slope", 0.25),))
TANH = Nonlinearity("tanh", ((0.0, 0.0),))
SIGMOID = Nonlinearity("sigmoid", ())
FUNCTIONS: dict[Nonlinearity | None, Callable[[np.ndarray], np.ndarray] | None] = {
    RELU: lambda x: np.maximum(x, 0),
    LEAKY: lambda x: np.where(x < 0, 0.25 * x, x),
    TANH: np.tanh,
    SIGMOID: lambda x: 1 / (1 + np.exp(-x)),
    None: None,
}
numbers = st.floats(-50, 50, width=32).filter(lambda x: x == 0 or abs(x) > 1e-3)


def layer_of(activation: Tensor) -> Layer:
    return Layer("conv", "Conv2d", activation.shape[1], (), tuple(activation.shape[2:]))


def measured(
    *uses: Tensor, nonlinearity: Nonlinearity | None = RELU, cuts: Sequence[int] = ()
) -> tuple[float, float, float]:
    """Scale, shape and rank of one layer, in batches that end at the cuts, with each use of a batch in turn."""
    size = len(uses[0])
    context = Context((layer_of(uses[0]),), size, None, Settings(), (nonlinearity,), (len(uses),))
    statistic = Shape(context)
    for start, stop in itertools.pairwise((0, *sorted(cuts), size)):
        for activation in uses:
            statistic.update_activation(0, slice(start, stop), activation[start:stop])
    columns = statistic.compute()
    assert list(columns) == ["activation/scale", "activation/shape", "activation/rank"]
    return tuple(float(column[0]) for column in columns.values())  # type: ignore[return-value]


@settings(deadline=None)
@given(
    values=arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 3)), elements=numbers),
    nonlinearity=st.sampled_from(list(FUNCTIONS)),
    spoilt=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.sampled_from([np.nan, np.inf, -np.inf]))),
    last=st.booleans(),
)
def test_any_activation_is_that_of_the_reference(values, nonlinearity, spoilt, last):  # type: ignore[no-untyped-def]
    for sample, channel, value in spoilt:
        if sample < values.shape[0] and channel < values.shape[1]:
            values[sample, channel, 0] = value
    activation = torch.from_numpy(values)
    if last:
        activation = activation.transpose(1, 2).contiguous().transpose(1, 2)
    vectors = np.moveaxis(values, 1, -1).reshape(-1, values.shape[1])
    expected = twins.scale_shape_rank(vectors, FUNCTIONS[nonlinearity])
    np.testing.assert_allclose(measured(activation, nonlinearity=nonlinearity), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_equal_filters_have_the_highest_shape_and_rank_one(kind: torch.dtype) -> None:
    one = torch.randn(400, 1, 3, dtype=torch.float32).to(kind)
    scales = 2.0 ** torch.arange(8, dtype=torch.float32).view(1, 8, 1)
    activation = one.float() * scales  # as the activation comes: widened
    scale, shape, rank = measured(activation)
    size = one.double().square().mean().sqrt()
    np.testing.assert_allclose([scale, shape, rank], [size * 2**3.5, math.log(8), 1.0], rtol=1e-4)


def test_independent_filters_have_full_rank_and_the_shape_of_gaussians() -> None:
    torch.manual_seed(0)
    activation = torch.randn(4000, 6) * 0.01
    scale, shape, rank = measured(activation)
    z = np.random.default_rng(0).standard_normal((100_000, 6))
    np.testing.assert_allclose([scale, shape, rank], [0.01, twins.entropy(z).mean(), 6.0], rtol=0.02)


def test_two_groups_of_equal_filters_have_rank_two() -> None:
    torch.manual_seed(1)
    first, second = torch.randn(3000, 2).T
    rank = measured(torch.stack([first, 3 * first, second, second / 7], 1), nonlinearity=LEAKY)[2]
    assert rank == pytest.approx(2.0, rel=1e-2)


def test_a_dead_filter_stands_as_zero() -> None:
    torch.manual_seed(2)
    live = torch.randn(50, 3)
    with_dead = torch.cat([live, torch.full((50, 1), -1e-9)], 1)
    with_zero = torch.cat([live, torch.zeros(50, 1)], 1)
    assert measured(with_dead)[1:] == measured(with_zero)[1:]
    scale, _, rank = measured(live)
    assert measured(with_zero)[0] == scale
    assert measured(with_zero)[2] == rank


def test_a_filter_that_dies_moves_no_scale() -> None:
    """It counts as before, as large as it is before the nonlinearity: what it did to that of others would be chance."""
    torch.manual_seed(2)
    live = torch.randn(50, 3)
    dying, dead = (torch.cat([live, torch.full((50, 1), -2.0)], 1) for _ in range(2))
    dying[0, 3] = 2.0
    assert measured(dying)[0] == pytest.approx(measured(dead)[0])
    assert measured(dying)[0] == pytest.approx((measured(live)[0] ** 3 * 2) ** 0.25)


def test_what_has_no_figure_is_nan() -> None:
    nan = pytest.approx(math.nan, nan_ok=True)
    assert measured(torch.full((3, 4), math.nan)) == (nan, nan, nan)
    assert measured(-torch.ones(3, 4)) == (1.0, nan, 0.0)
    assert measured(torch.zeros(3, 4)) == (nan, nan, 0.0)
    assert measured(torch.ones(3, 4), nonlinearity=None) == (1.0, pytest.approx(math.log(4)), nan)
    assert measured(torch.tensor([[2.0], [1.0]])) == (pytest.approx(2.5**0.5), nan, pytest.approx(1.0))
    statistic = Shape(Context((Layer("conv", "Conv2d", 4, (), ()),), 3, None, Settings()))
    assert [np.isnan(column).all() for column in statistic.compute().values()] == [True, True, True]


@pytest.mark.parametrize("size", [1e-38, 1e-20, 1.0, 1e20, 1e34])
def test_no_square_overflows_or_vanishes(size: float) -> None:
    torch.manual_seed(3)
    activation = torch.randn(60, 5)
    scale, shape, rank = measured(activation)
    np.testing.assert_allclose(measured(activation * size), [scale * size, shape, rank], rtol=1e-4)


def test_what_overflows_all_the_same_has_no_rank() -> None:
    assert math.isnan(effective_rank(torch.full((2, 9), 3e38) * torch.tensor([1.0, -1.0, 1.0] * 3)))


@settings(deadline=None)
@given(
    values=arrays(np.float32, st.tuples(st.integers(2, 12), st.integers(2, 6)), elements=numbers),
    powers=st.lists(st.integers(-12, 12), min_size=6, max_size=6),
    nonlinearity=st.sampled_from([RELU, LEAKY]),
)
def test_a_rescaled_filter_changes_the_scale_alone(values, powers, nonlinearity):  # type: ignore[no-untyped-def]
    activation = torch.from_numpy(values)
    factors = 2.0 ** torch.tensor(powers[: values.shape[1]], dtype=torch.float32)
    before, after = (measured(a, nonlinearity=nonlinearity) for a in (activation, activation * factors))
    sized = (activation != 0).any(0)
    assume(sized.any())
    growth = float(factors[sized].log().mean().exp())
    np.testing.assert_allclose(after, [before[0] * growth, *before[1:]], rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(cuts=st.sets(st.integers(1, 299)), channels=st.sampled_from([1, 7, 300]), side=st.sampled_from([1, 5, 40]))
def test_the_batch_size_does_not_matter(cuts: set[int], channels: int, side: int) -> None:
    generator = torch.Generator().manual_seed(channels)
    activation = torch.randn(300, 1, side, generator=generator) + torch.randn(1, channels, 1, generator=generator)
    whole = measured(activation)
    np.testing.assert_allclose(measured(activation, cuts=[*cuts]), whole, rtol=1e-5)


def test_uses_of_a_layer_are_pooled() -> None:
    torch.manual_seed(4)
    first, second = torch.randn(10, 4, 6), torch.randn(10, 4, 6) * 5
    together = measured(torch.cat([first, second], 2))
    np.testing.assert_allclose(measured(first, second, cuts=[3, 7]), together, rtol=1e-5)


def test_the_activation_is_neither_written_to_nor_kept() -> None:
    torch.manual_seed(5)
    activation = torch.randn(6, 4, 3)
    expected = measured(activation.clone())
    statistic = Shape(Context((layer_of(activation),), 6, None, Settings(), (RELU,)))
    before = activation.clone()
    statistic.update_activation(0, slice(0, 6), activation)
    torch.testing.assert_close(activation, before, rtol=0, atol=0)
    activation.fill_(9.0)  # as a nonlinearity in place does
    assert [float(column[0]) for column in statistic.compute().values()] == list(expected)


@pytest.mark.parametrize("uses", [1, 3])
@pytest.mark.parametrize(
    ("size", "channels", "positions"),
    [(1000, 12, (32, 32)), (1000, 32, ()), (50, 64, (7, 7)), (9000, 16, (5, 5)), (3, 4, (200, 200)), (5000, 4096, ())],
)
def test_what_is_kept_is_bounded_and_even(size: int, channels: int, positions: tuple[int, ...], uses: int) -> None:
    samples, places = kept_places(Layer("a", "Conv2d", channels, (), positions), size, uses)
    count = math.prod(positions)
    most = min(MOST_VECTORS, MOST_NUMBERS // channels)
    assert places.size * uses <= most
    assert places.size > most // uses / 2 or places.size == size * count
    assert samples[0] >= 0
    assert samples[-1] < size
    assert (np.diff(samples) > 0).all()
    assert (np.diff(places) > 0).all()
    assert places.min() >= 0
    assert places.max() < count
    if len(samples) * places.shape[1] > 500 and count > 1:
        tenths = np.histogram(places, 10, (0, count))[0] / places.size
        np.testing.assert_allclose(tenths, 0.1, atol=0.04)


def test_of_a_wide_layer_the_smaller_product_has_the_same_rank() -> None:
    torch.manual_seed(6)
    values = torch.randn(40, 9)
    expected = twins.scale_shape_rank(values.T.numpy(), lambda x: x)[2]
    assert effective_rank(values) == pytest.approx(expected, rel=1e-5)
    assert scale_shape_rank(values, LEAKY)[2] == pytest.approx(
        twins.scale_shape_rank(values.numpy(), FUNCTIONS[LEAKY])[2], rel=1e-5
    )
