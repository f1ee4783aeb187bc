from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rfav_cli.activations import entropy as fast_entropy
from rfav_cli.activations.entropy import position_entropy

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def naive(values: Tensor, channel_dim: int, bias: Tensor | None, scale: Tensor | None) -> Tensor:
    """The twin: Eq. 3 and 4 in float64, as printed."""
    a = values.double().movedim(channel_dim, -1)
    if bias is not None:
        a = a - bias.double()
    if scale is not None:
        a = a * scale.double()
    log_p = torch.log_softmax(a, -1)
    return -(log_p.exp() * log_p).sum(-1)


def assert_same(actual: Tensor, expected: Tensor) -> None:
    assert actual.dtype is torch.float32
    assert actual.shape == expected.shape
    torch.testing.assert_close(actual.double(), expected, rtol=4e-7, atol=1e-6)
    torch.testing.assert_close(actual.double().mean(), expected.mean(), rtol=1e-5, atol=0.0)


@pytest.fixture
def random() -> Callable[..., Tensor]:
    generator = torch.Generator().manual_seed(7)

    def draw(*shape: int, spread: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=generator) * spread

    return draw


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buffers of 64 floats, and no short cut for small tensors."""
    monkeypatch.setattr(fast_entropy, "CPU_CHUNK_BYTES", 256)
    monkeypatch.setattr(fast_entropy, "_FEW_VALUES", 0)


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": lambda x: x.contiguous(),
    "channels last": lambda x: x.movedim(1, -1).contiguous().movedim(-1, 1),
    "batch last": lambda x: x.movedim(0, -1).contiguous().movedim(-1, 0),
    "every second position": lambda x: torch.stack([x, -x], -1).flatten(-2)[..., ::2],
    "part of the channels": lambda x: torch.cat([x, x], 1)[:, : x.shape[1]],
    "part of the batch": lambda x: torch.stack([x, x], 1)[:, 1],
    "one position for all": lambda x: x[..., :1].expand_as(x),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("positions", [(5,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize("spread", [0.01, 1.0, 12.0])
@pytest.mark.parametrize("chunks", ["small_chunks", "tmp_path"])
def test_convolutions_equal_the_twin_in_every_layout(
    layout: str,
    positions: tuple[int, ...],
    spread: float,
    chunks: str,
    random: Callable[..., Tensor],
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue(chunks)
    values = LAYOUTS[layout](random(9, 6, *positions, spread=spread))
    assert_same(position_entropy(values, 1, None, None), naive(values, 1, None, None))


@pytest.mark.parametrize("shape", [(7, 10), (3, 5, 10), (2, 3, 4, 10)])
@pytest.mark.parametrize("chunks", ["small_chunks", "tmp_path"])
def test_linear_layers_equal_the_twin(
    shape: tuple[int, ...], chunks: str, random: Callable[..., Tensor], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(chunks)
    values = random(*shape, spread=3.0)
    assert_same(position_entropy(values, -1, None, None), naive(values, -1, None, None))


@pytest.mark.parametrize("size", [1, 7, 8, 9, 15, 16, 17, 63, 64, 65])
@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
@pytest.mark.usefixtures("small_chunks")
def test_chunk_boundaries(size: int, layout: str, random: Callable[..., Tensor]) -> None:
    images = LAYOUTS[layout](random(size, 8, 1, 2))
    wide = LAYOUTS[layout](random(2, 8, size, 3))
    many_channels = LAYOUTS[layout](random(2, size + 60, 2, 2))
    for values in (images, wide, many_channels):
        assert_same(position_entropy(values, 1, None, None), naive(values, 1, None, None))


@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
def test_a_whole_layer_of_real_size(layout: str, random: Callable[..., Tensor]) -> None:
    values = LAYOUTS[layout](random(50, 16, 32, 32, spread=3.0))
    bias, scale = random(16), 1.0 + random(16, spread=0.2)
    assert_same(position_entropy(values, 1, bias, scale), naive(values, 1, bias, scale))


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("with_scale", [False, True])
@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
@pytest.mark.usefixtures("small_chunks")
def test_bias_and_scale(with_bias: bool, with_scale: bool, layout: str, random: Callable[..., Tensor]) -> None:
    values = LAYOUTS[layout](random(9, 6, 3, 4))
    bias = random(6) if with_bias else None
    scale = random(6, spread=2.0) if with_scale else None
    assert_same(position_entropy(values, 1, bias, scale), naive(values, 1, bias, scale))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
@pytest.mark.parametrize("chunks", ["small_chunks", "tmp_path"])
def test_every_type(
    dtype: torch.dtype, layout: str, chunks: str, random: Callable[..., Tensor], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(chunks)
    values = LAYOUTS[layout](random(9, 6, 3, 4, spread=2.0).to(dtype))
    bias, scale = random(6).to(dtype), random(6).to(dtype)
    assert_same(position_entropy(values, 1, bias, scale), naive(values, 1, bias, scale))


@pytest.mark.usefixtures("small_chunks")
def test_float64_is_computed_in_float64() -> None:
    values = torch.tensor([[1e9, 1e9 + 1.0]], dtype=torch.float64)  # equal in float32
    assert_same(position_entropy(values, 1, None, None), naive(values, 1, None, None))


def test_low_means_keep_their_digits(random: Callable[..., Tensor]) -> None:
    values = random(50, 64, 8, 8)
    values[:, 3] += 11.5
    expected = naive(values, 1, None, None)
    assert 0.005 < float(expected.mean()) < 0.1
    torch.testing.assert_close(
        position_entropy(values, 1, None, None).double().mean(), expected.mean(), rtol=1e-5, atol=0.0
    )


@pytest.mark.parametrize("level", [0.0, 3.0, -40.0, 60.0, -1e4, 1e4])
@pytest.mark.parametrize("chunks", ["small_chunks", "tmp_path"])
def test_closed_forms(level: float, chunks: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(chunks)
    uniform = torch.full((3, 10, 2, 2), level)
    spike, two = uniform.clone(), uniform.clone()
    spike[:, 4] += 1e4
    two[:, [1, 7]] += 1e4
    assert position_entropy(uniform, 1, None, None).numpy() == pytest.approx(math.log(10))
    assert torch.equal(position_entropy(spike, 1, None, None), torch.zeros(3, 2, 2))
    assert position_entropy(two, 1, None, None).numpy() == pytest.approx(math.log(2))
    assert torch.equal(position_entropy(uniform[:, :1], 1, None, None), torch.zeros(3, 2, 2))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("chunks", ["small_chunks", "tmp_path"])
def test_one_hots_at_the_end_of_the_range_are_zero(
    dtype: torch.dtype, chunks: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(chunks)
    largest = torch.finfo(dtype).max
    values = torch.full((3, 10, 5), -largest, dtype=dtype)
    values[:, 2] = largest
    assert torch.equal(position_entropy(values, 1, None, None), torch.zeros(3, 5))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
@pytest.mark.parametrize("chunks", ["small_chunks", "tmp_path"])
def test_nan_exactly_where_an_activation_is_not_finite(
    bad: float, layout: str, chunks: str, random: Callable[..., Tensor], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(chunks)
    clean = random(9, 6, 3, 4)
    broken = clean.clone()
    where = random(9, 6, 3, 4) > 1.8
    broken[where] = bad
    affected = where.any(1)
    assert 0 < int(affected.sum()) < affected.numel()
    entropy = position_entropy(LAYOUTS[layout](broken), 1, None, None)
    assert torch.equal(entropy.isnan(), affected)
    assert_same(entropy[~affected], naive(clean, 1, None, None)[~affected])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nothing_finite_is_nan(value: float) -> None:
    assert position_entropy(torch.full((2, 4, 3), value), 1, None, None).isnan().all()


@pytest.mark.usefixtures("small_chunks")
def test_huge_and_common_positions_side_by_side(random: Callable[..., Tensor]) -> None:
    values = random(40, 6)
    values[::3] *= 300.0
    values[1::3] -= 90.0
    assert_same(position_entropy(values, 1, None, None), naive(values, 1, None, None))


@pytest.mark.parametrize("shape", [(0, 4, 3, 3), (2, 4, 0), (0, 4)])
def test_empty(shape: tuple[int, ...]) -> None:
    assert position_entropy(torch.empty(shape), 1, None, None).shape == (shape[0], *shape[2:])


@pytest.mark.usefixtures("small_chunks")
def test_the_input_is_left_as_it_was(random: Callable[..., Tensor]) -> None:
    values, bias, scale = random(9, 6, 3, 4), random(6), random(6)
    copies = [tensor.clone() for tensor in (values, bias, scale)]
    position_entropy(values.requires_grad_(), 1, bias.requires_grad_(), scale.requires_grad_())
    assert all(torch.equal(tensor, copy) for tensor, copy in zip((values, bias, scale), copies, strict=True))


def test_never_above_the_entropy_of_a_uniform_activation() -> None:
    for channels in range(1, 2050, 7):
        highest = float(position_entropy(torch.zeros(2, channels), 1, None, None).max())
        assert highest <= math.log(channels)
        assert highest == pytest.approx(math.log(channels), rel=3e-7)


activations = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 5)),
    elements=st.floats(-100.0, 100.0, width=32),
)


def in_pieces(values: Tensor) -> Tensor:
    """The chunked way, which small tensors do not take by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_entropy, "CPU_CHUNK_BYTES", 64)
        patch.setattr(fast_entropy, "_FEW_VALUES", 0)
        return position_entropy(values, 1, None, None)


@settings(deadline=None)
@given(activations)
def test_range_and_twin(array: np.ndarray) -> None:
    values = torch.from_numpy(array)
    for entropy in (in_pieces(values), position_entropy(values, 1, None, None)):
        assert float(entropy.min()) >= 0.0
        assert float(entropy.max()) <= math.log(values.shape[1])
        torch.testing.assert_close(entropy.double(), naive(values, 1, None, None), rtol=0.0, atol=3e-6)


@settings(deadline=None)
@given(activations, st.integers(-64, 64))
def test_neither_a_shift_nor_an_order_of_the_channels_matters(array: np.ndarray, shift: int) -> None:
    values = torch.from_numpy(np.round(array * 64) / 64)  # so that the shift itself rounds nothing
    order = torch.randperm(values.shape[1])
    entropy = in_pieces(values)
    torch.testing.assert_close(in_pieces(values + shift), entropy, rtol=0.0, atol=5e-6)
    torch.testing.assert_close(in_pieces(values[:, order]), entropy, rtol=0.0, atol=5e-6)
