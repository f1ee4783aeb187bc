from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rfav_cli.activations.entropy import position_entropy
from rfav_cli.equations import (
    correlation_matrix,
    decorrelation_penalty,
    degenerate_filters,
    entropy,
    perplexity,
    sparsity_penalty,
)

if TYPE_CHECKING:
    from rfav_cli.records import Centering


def double(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def naive_entropy(activation: np.ndarray) -> float:
    """Eq. 3 and 4 as printed, for one activation vector."""
    p = np.exp(activation) / np.exp(activation).sum()
    return float(-(p * np.log(p)).sum())


def naive_paper_correlation(filters: np.ndarray, d: int, e: int) -> float:
    """Eq. 6 as printed."""
    mean = filters.mean(0)
    a, b = filters[d] - mean, filters[e] - mean
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


# Eq. 2 to 4


def test_entropy_equals_the_printed_form() -> None:
    activation = double(3, 5, 2, 4)
    expected = np.apply_along_axis(naive_entropy, 1, activation.numpy())
    np.testing.assert_allclose(entropy(activation, 1).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(entropy(activation.movedim(1, -1), -1).numpy(), expected, rtol=1e-12)


def test_entropy_equals_the_fast_one() -> None:
    activation = double(40, 16, 8, 8).float()
    torch.testing.assert_close(entropy(activation, 1), position_entropy(activation, 1, None, None), rtol=0, atol=2e-6)


@pytest.mark.parametrize("level", [0.0, -1e4, 1e4])
def test_closed_forms(level: float) -> None:
    uniform = torch.full((1, 8), level)
    spike = uniform + torch.tensor([[1e4, 0, 0, 0, 0, 0, 0, 0]])
    two = uniform + torch.tensor([[1e4, 1e4, 0, 0, 0, 0, 0, 0]])
    assert entropy(uniform, 1).item() == pytest.approx(math.log(8))
    assert entropy(spike, 1).item() == 0
    assert entropy(two, 1).item() == pytest.approx(math.log(2))
    assert perplexity(entropy(two, 1)).item() == pytest.approx(2)
    assert entropy(uniform[:, :1], 1).item() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    largest = torch.finfo(torch.float16).max
    one_hot = torch.tensor([[-largest, largest, -largest]]).to(dtype)
    assert entropy(one_hot, 1).dtype is torch.float32
    assert entropy(one_hot, 1).item() == 0


def test_gradient_is_zero_and_not_nan_where_a_probability_underflows() -> None:
    for dtype in (torch.float16, torch.float32, torch.float64):
        activation = torch.tensor([[0.0, 200.0]], dtype=dtype, requires_grad=True)
        entropy(activation, 1).sum().backward()
        assert activation.grad is not None
        assert activation.grad.abs().max().item() < 1e-80  # 200 e^-200 where the type holds it


def test_gradients_of_entropy() -> None:
    activation = double(2, 4, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: entropy(a, 1), activation)
    assert torch.autograd.gradgradcheck(lambda a: entropy(a, 1), activation)


@settings(deadline=None)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.floats(-1e4, 1e4)),
    st.floats(-1e3, 1e3),
)
def test_entropy_lies_in_its_range_and_ignores_shift_and_order(array: np.ndarray, shift: float) -> None:
    activation = torch.from_numpy(array)
    h = entropy(activation, 1)
    assert (h >= 0).all()
    assert (h <= math.log(array.shape[1]) + 1e-12).all()
    torch.testing.assert_close(entropy(activation + shift, 1), h, rtol=0, atol=1e-7)
    torch.testing.assert_close(entropy(activation.flip(1), 1), h, rtol=0, atol=1e-9)


# Eq. 5


def test_sparsity_penalty_sums_over_positions_and_averages_over_samples() -> None:
    activation = double(6, 5, 3, 2)
    expected = -0.01 * np.apply_along_axis(naive_entropy, 1, activation.numpy()).sum((1, 2)).mean()
    assert sparsity_penalty(activation, 1, 0.01).item() == pytest.approx(expected)
    assert sparsity_penalty(torch.cat([activation] * 3), 1, 0.01).item() == pytest.approx(expected)
    assert sparsity_penalty(double(6, 5), -1, 1.0).item() == pytest.approx(-entropy(double(6, 5), 1).mean().item())


def test_a_step_down_the_sparsity_penalty_raises_the_entropy() -> None:
    activation = double(2, 5, 3).requires_grad_()
    penalty = sparsity_penalty(activation, 1, 0.1)
    (gradient,) = torch.autograd.grad(penalty, activation)
    assert entropy(activation - gradient, 1).sum() > entropy(activation, 1).sum()


def test_gradients_of_the_sparsity_penalty() -> None:
    activation = double(3, 4, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: sparsity_penalty(a, 1, 0.3), activation)
    rows = double(3, 2, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: sparsity_penalty(a, -1, 0.3), rows)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_the_sparsity_penalty_has_a_finite_gradient_at_saturated_activations(dtype: torch.dtype) -> None:
    activation = (torch.tensor([[1, -1, 0], [1, 1, -1], [-1, -1, -1], [0, 0, 0]]) * 1e4).to(dtype).requires_grad_()
    sparsity_penalty(activation, 1, 0.001).backward()
    assert activation.grad is not None
    assert activation.grad.isfinite().all()


# Eq. 6


def test_pearson_equals_numpy() -> None:
    filters = double(7, 27)
    np.testing.assert_allclose(correlation_matrix(filters).numpy(), np.corrcoef(filters.numpy()), atol=1e-12)


def test_paper_centering_equals_the_printed_form() -> None:
    filters = double(5, 12)
    matrix = correlation_matrix(filters, "paper")
    for d, e in np.ndindex(5, 5):
        assert matrix[d, e].item() == pytest.approx(naive_paper_correlation(filters.numpy(), d, e))


def test_any_two_filters_give_minus_one_with_paper_centering() -> None:
    assert correlation_matrix(double(2, 30), "paper")[0, 1].item() == pytest.approx(-1)


def test_groups_are_correlated_apart() -> None:
    filters = double(3, 4, 9)
    for matrix, group in zip(correlation_matrix(filters), filters, strict=True):
        torch.testing.assert_close(matrix, correlation_matrix(group))


@pytest.mark.parametrize("level", [0.0, 0.1, -7.3, 1e-20, 1e20])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_constant_filters_are_degenerate_and_count_as_zero(level: float, dtype: torch.dtype) -> None:
    filters = double(4, 25).to(dtype)
    filters[2] = torch.tensor(level).clamp(-65504, 65504)
    filters.requires_grad_()
    matrix = correlation_matrix(filters)
    assert degenerate_filters(filters).tolist() == [False, False, True, False]
    assert not matrix[2].any()
    assert not matrix[:, 2].any()
    decorrelation_penalty(filters, squared=True).backward()
    assert filters.grad is not None
    assert filters.grad.isfinite().all()
    assert not filters.grad[2].any()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_filters_that_are_not_finite_are_nan_in_their_pairs_alone(value: float) -> None:
    filters = double(4, 9)
    others = correlation_matrix(filters[[0, 1, 3]])
    filters[2, 5] = value
    matrix = correlation_matrix(filters)
    assert matrix[2].isnan().all()
    assert matrix[:, 2].isnan().all()
    torch.testing.assert_close(matrix[[0, 1, 3]][:, [0, 1, 3]], others)
    assert correlation_matrix(filters, "paper").isnan().all()


def test_identical_filters_are_degenerate_with_paper_centering_only() -> None:
    filters = double(1, 9).float().expand(5, 9)
    assert degenerate_filters(filters, "paper").all()
    assert not degenerate_filters(filters, "pearson").any()
    assert decorrelation_penalty(filters, centering="paper").item() == 0
    assert decorrelation_penalty(filters).item() == pytest.approx(10)


def test_small_and_large_filters_are_not_degenerate() -> None:
    filters = double(3, 9).float()
    for factor in (1e-30, 1e-12, 1e12, 1e30):
        torch.testing.assert_close(correlation_matrix(filters * factor), correlation_matrix(filters))


def test_an_unknown_centering_is_refused() -> None:
    with pytest.raises(ValueError, match="centering must be"):
        correlation_matrix(double(2, 3), "mean")


matrices = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 6), st.integers(2, 8)), elements=st.integers(-1000, 1000).map(float)
)


@settings(deadline=None)
@given(matrices, st.floats(0.01, 100), st.integers(-100, 100))
def test_properties_of_the_correlation_matrix(array: np.ndarray, factor: float, shift: int) -> None:
    filters = torch.from_numpy(array)
    matrix = correlation_matrix(filters)
    torch.testing.assert_close(matrix, matrix.mT)
    assert (matrix.abs() <= 1).all()
    expected = (~degenerate_filters(filters)).double()
    torch.testing.assert_close(matrix.diagonal(), expected)
    torch.testing.assert_close(correlation_matrix(filters * factor + shift), matrix, rtol=0, atol=1e-9)


@settings(deadline=None)
@given(matrices)
def test_pearson_equals_numpy_on_any_filters(array: np.ndarray) -> None:
    assume((array.std(1) > 0).all())
    np.testing.assert_allclose(correlation_matrix(torch.from_numpy(array)).numpy(), np.corrcoef(array), atol=1e-9)


# Eq. 7


@pytest.mark.parametrize("squared", [False, True])
def test_decorrelation_penalty_is_the_sum_over_the_pairs(squared: bool) -> None:
    filters = double(2, 4, 9)
    matrices = [np.corrcoef(group) for group in filters.numpy()]
    pairs = [matrix[d, e] for matrix in matrices for d in range(4) for e in range(d + 1, 4)]
    expected = sum(c**2 if squared else c for c in pairs)
    assert decorrelation_penalty(filters, squared).item() == pytest.approx(expected)


def test_the_printed_centering_pins_the_penalty_near_minus_half_the_filters() -> None:
    """DESIGN's reason for the other default: 64 filters alike give -D/2 as printed, and thousands by their own mean."""
    filters = double(1, 75) + 0.3 * double(64, 75).roll(1, 0)
    assert decorrelation_penalty(filters, squared=False, centering="paper").item() == pytest.approx(-32, abs=2)
    assert decorrelation_penalty(filters, squared=False).item() > 1500


@given(st.integers(2, 6), st.integers(2, 8), st.integers(0, 2**16))
@settings(deadline=None)
def test_squares_are_least_where_nothing_is_correlated_and_the_signed_sum_is_not(d: int, k: int, seed: int) -> None:
    """Filters and their opposites: as redundant as filters can be, and the least of the signed sum, -D/2."""
    half = torch.randn(d, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    mirrored = torch.cat([half, -half])
    assert decorrelation_penalty(mirrored, squared=False).item() == pytest.approx(-d, abs=1e-6)
    assert decorrelation_penalty(mirrored).item() >= d - 1e-6
    random = torch.randn(2 * d, k, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    assert decorrelation_penalty(random).item() >= 0
    assert decorrelation_penalty(random, squared=False).item() >= -d - 1e-6


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("centering", ["pearson", "paper"])
def test_gradients_of_the_decorrelation_penalty(squared: bool, centering: Centering) -> None:
    filters = double(4, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: decorrelation_penalty(w, squared, centering), filters)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("centering", ["pearson", "paper"])
def test_identical_and_zero_filters_have_a_finite_gradient(squared: bool, centering: Centering) -> None:
    for filters in (double(1, 9).float().repeat(5, 1), torch.zeros(5, 9), torch.eye(5, 9)):
        filters.requires_grad_()
        decorrelation_penalty(filters, squared, centering).backward()
        assert filters.grad is not None
        assert filters.grad.isfinite().all()
