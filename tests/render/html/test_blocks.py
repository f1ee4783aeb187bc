"""Arrays for the front-end."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfav_cli.render.html.blocks import LEVELS, Block, in_memory, quantise, smallest_type


@settings(deadline=None)
@given(
    arrays(np.float32, st.integers(0, 30), elements=st.floats(0, 1, width=32)),
    st.floats(0.1, 20),
    st.sampled_from(sorted(LEVELS)),
)
def test_a_code_is_within_half_a_step_of_its_value(shares: np.ndarray, top: float, dtype: str) -> None:
    values = shares.astype(np.float64) * top
    codes = quantise(values, top, dtype)
    step = top / LEVELS[dtype]
    assert codes.dtype == np.dtype(dtype)
    np.testing.assert_allclose(codes * step, values, rtol=0, atol=step * (0.5 + 1e-2))


@pytest.mark.parametrize("dtype", sorted(LEVELS))
def test_codes_of_half_precision_are_as_near_as_those_of_any(dtype: str) -> None:
    """Heatmaps are stored so; their own digits are fewer than the steps."""
    values = np.linspace(0, 4.1588, 5000, dtype=np.float16)
    np.testing.assert_array_equal(quantise(values, 4.1588, dtype), quantise(values.astype(np.float64), 4.1588, dtype))


def test_what_is_not_finite_has_a_code_of_its_own_and_the_rest_is_cut() -> None:
    assert quantise(np.array([np.nan, np.inf, -np.inf, -1, 9]), 2.0).tolist() == [255, 255, 255, 0, 254]
    assert quantise(np.array([0.0, np.nan]), 0.0).tolist() == [0, 255]


def test_a_block_is_packed_as_it_is_described() -> None:
    block = Block("u1", (2, 3), lambda: np.arange(6, dtype=np.float16).reshape(2, 3), (0, 4), 5.0)
    assert block.describe() == {
        "dtype": "u1",
        "shape": [2, 3],
        "rows": [0, 4],
        "quantised": {"top": 5.0, "levels": 254},
    }
    assert list(zlib.decompress(block.packed())) == [0, 51, 102, 152, 203, 254]


def test_values_in_memory_are_little_endian() -> None:
    block = in_memory("u2", np.array([[1, 258]], ">i8"))
    assert zlib.decompress(block.packed()) == b"\x01\x00\x02\x01"
    assert block.describe() == {"dtype": "u2", "shape": [1, 2]}


@pytest.mark.parametrize(("highest", "name"), [(0, "u1"), (255, "u1"), (256, "u2"), (65536, "u4")])
def test_counts_take_the_fewest_bytes(highest: int, name: str) -> None:
    assert smallest_type(np.array([0, highest])) == name
