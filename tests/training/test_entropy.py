"""The lean sum of entropies against the page of equations."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli import equations
from rfav_cli.training import entropy
from rfav_cli.training.entropy import entropy_sum

LAYOUTS = {
    "default": lambda a: a.contiguous(),
    "channels last": lambda a: a.movedim(1, -1).contiguous().movedim(-1, 1),
    "reversed": lambda a: a.permute(*reversed(range(a.dim()))).contiguous().permute(*reversed(range(a.dim()))),
    "strided": lambda a: a.repeat_interleave(2, -1)[..., ::2],
}


def by_equations(values: torch.Tensor, channel_dim: int, bias: torch.Tensor | None) -> torch.Tensor:
    rows = values.movedim(channel_dim, -1)
    rows = rows.to(torch.promote_types(rows.dtype, torch.float32))
    return -equations.sparsity_penalty(rows if bias is None else rows - bias, -1, 1.0) * len(values)


@settings(deadline=None, max_examples=60)
@given(
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    last=st.booleans(),
    layout=st.sampled_from(sorted(LAYOUTS)),
    biased=st.booleans(),
    chunk=st.sampled_from([8, 64, 200, 10**6]),
    spread=st.sampled_from([0.1, 3.0, 1e4]),
    seed=st.integers(0, 100),
)
def test_value_and_gradients_are_those_of_the_equations(
    shape: list[int], last: bool, layout: str, biased: bool, chunk: int, spread: float, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    dim = -1 if last else 1
    values = LAYOUTS[layout](torch.randn(shape, generator=random, dtype=torch.float64) * spread).requires_grad_()
    bias = torch.randn(shape[dim], generator=random, dtype=torch.float64).requires_grad_() if biased else None
    inputs = [values] if bias is None else [values, bias]
    expected = by_equations(values, dim, bias)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entropy, "CPU_CHUNK_BYTES", chunk)
        found = entropy_sum(values, dim, bias)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    scale = torch.tensor(-0.25, dtype=torch.float64)
    gradients = zip(
        torch.autograd.grad(found, inputs, scale), torch.autograd.grad(expected, inputs, scale), strict=True
    )
    for one, other in gradients:
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("channel_dim", [1, -1])
def test_gradients_are_those_of_finite_differences(channel_dim: int) -> None:
    random = torch.Generator().manual_seed(1)
    values = torch.randn(2, 4, 3, generator=random, dtype=torch.float64).requires_grad_()
    bias = torch.randn(values.shape[channel_dim], generator=random, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda v, b: entropy_sum(v, channel_dim, b), (values, bias))


def test_a_second_derivative_is_an_error_not_one_without_the_penalty() -> None:
    values = torch.randn(2, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
    (gradient,) = torch.autograd.grad(entropy_sum(values.sin(), 1, None), values, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.square().sum().backward()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_saturated_activations_have_a_finite_gradient(dtype: torch.dtype) -> None:
    values = torch.tensor([[1e4, -1e4, 0.0], [1e4, 1e4, -1e4], [0.0, 0.0, 0.0]]).to(dtype).requires_grad_()
    total = entropy_sum(values, 1, None)
    total.backward()
    assert total.dtype is torch.float32
    assert total.item() == pytest.approx(math.log(2) + math.log(3))
    assert values.grad is not None
    assert values.grad.dtype is dtype
    assert values.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    values = torch.randn(64, 8, 12, 12, generator=torch.Generator().manual_seed(2)).to(dtype).requires_grad_()
    total = entropy_sum(values, 1, None)
    expected = entropy_sum(values.detach().float(), 1, None)
    assert total.item() == pytest.approx(expected.item(), rel=1e-6)
    # Unscaled, the gradient of the penalty would be 0 in half precision.
    (gradient,) = torch.autograd.grad(total * 1e-9 * 2.0**20, values)
    assert gradient.count_nonzero() > 0.99 * gradient.numel()


def test_what_is_written_over_afterwards_does_no_harm() -> None:
    values = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(3)).requires_grad_()
    (expected,) = torch.autograd.grad(by_equations(values, 1, None), values)
    activation = values * 1
    total = entropy_sum(activation, 1, None)
    activation.relu_()
    torch.testing.assert_close(torch.autograd.grad(total, values)[0], expected)


def test_nothing_but_a_gradient_is_kept() -> None:
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda t: t):
        entropy_sum(torch.zeros(4, 8, 5, 5, requires_grad=True), 1, torch.zeros(8, requires_grad=True))
    assert sorted(kept) == [8, 4 * 8 * 5 * 5]


@pytest.mark.parametrize("shape", [(0, 4, 3), (0, 4), (2, 4, 0)])
def test_no_samples_and_no_positions_have_no_entropy(shape: tuple[int, ...]) -> None:
    values = torch.zeros(shape, requires_grad=True)
    total = entropy_sum(values, 1, None)
    total.backward()
    assert total.item() == 0
