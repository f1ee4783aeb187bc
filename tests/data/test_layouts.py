"""The axes of arrays, told from their shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rfav_cli.data.layouts import tell_layout
from rfav_cli.errors import SampleError


@pytest.mark.parametrize(
    ("shape", "dtype", "layout"),
    [
        ((9, 3, 32, 32), "u1", "nchw"),
        ((9, 32, 32, 3), "f4", "nhwc"),
        ((9, 28, 28, 1), "u1", "nhwc"),
        ((9, 4, 8, 8), "f2", "nchw"),
        ((9, 28, 28), "u1", "nhw"),
        ((9, 28, 28), "u2", "nhw"),
        ((9, 3, 32, 32), ">u2", "nchw"),
        ((9, 60), "f8", "nf"),
        ((9, 60), "i8", "nf"),
        ((9, 3, 16, 8, 8), "u1", "ncthw"),
        ((9, 16, 8, 8, 3), "u1", "nthwc"),
        ((9, 16, 3, 8, 8), "f4", "ntchw"),
    ],
)
def test_axes_are_told(shape: tuple[int, ...], dtype: str, layout: str) -> None:
    assert tell_layout(shape, np.dtype(dtype), None, Path("x.npy")) == layout


@pytest.mark.parametrize(
    ("shape", "dtype", "asked", "what"),
    [
        ((9, 3, 32, 3), "u1", None, "--layout nhwc or nchw"),
        ((9, 10, 32, 32), "f4", None, "--layout nhwc or nchw"),
        ((9, 28, 28), "f4", None, "--layout nhw or nct"),
        ((9, 28, 28), "f4", "nhwc", "nhwc has 4 axes"),
        ((9,), "f4", None, "1 axes"),
        ((9, 3, 4, 4, 4), "f4", None, "--layout ncthw or nthwc or ntchw"),
        ((9, 3, 4, 4, 4, 4), "f4", None, "6 axes"),
        ((9, 3, 32, 32), "i8", None, "uint8 or floating-point"),
        ((9, 3, 32, 32), "i2", None, "uint16 or floating-point"),
        ((9, 3, 32), "i4", "nct", "uint8 or floating-point"),
        ((9, 3, 32), "u2", "nct", "uint8 or floating-point"),
        ((9, 3), "c8", None, "nothing that a net can take"),
        ((9, 3), "O", None, "nothing that a net can take"),
        ((0, 3, 32, 32), "u1", None, "nothing that a net can take"),
    ],
)
def test_axes_that_cannot_be_told(shape: tuple[int, ...], dtype: str, asked: str | None, what: str) -> None:
    with pytest.raises(SampleError, match=r"x\.npy") as caught:
        tell_layout(shape, np.dtype(dtype), asked, Path("x.npy"))
    assert what in str(caught.value)
