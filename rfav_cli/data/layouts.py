"""The axes of an array of samples, told from its shape and type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.data.axes import LAYOUTS
from rfav_cli.data.units import full_scale
from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REMEDY = "Save an array 'images', uint8 or float32, and whole numbers 'labels' beside it."


def tell_layout(shape: Sequence[int], dtype: np.dtype[Any], asked: str | None, where: Path) -> str:
    """What the axes of an array are.

    Raises:
        SampleError: they cannot be told, do not fit `--layout`, or the values are of a type that images do not have.
    """
    what = f"{printable(where)}: samples of shape {tuple(shape)}, {dtype}"
    if dtype.kind not in "buif" or 0 in shape:
        raise SampleError(f"{what}: nothing that a net can take", REMEDY)
    layout = asked or guess_layout(shape, dtype)
    if asked and LAYOUTS[asked] != len(shape):
        raise SampleError(f"{what} are not --layout {asked}", f"{asked} has {LAYOUTS[asked]} axes.")
    if layout is None:
        fitting = [name for name, axes in LAYOUTS.items() if axes == len(shape)]
        if not fitting:
            raise SampleError(f"{what}: {len(shape)} axes", f"Known are {', '.join(LAYOUTS)}.")
        raise SampleError(f"{what}: the axes cannot be told", f"Give --layout {' or '.join(fitting)}.")
    if layout not in ("nf", "nct") and full_scale(dtype):
        return layout
    if layout != "nf" and dtype.kind in "bui" and dtype != np.uint8:
        raise SampleError(
            f"{what}: images are uint8, uint16 or floating-point, sequences uint8 or floating-point",
            "Save them as one of these.",
        )
    return layout


def guess_layout(shape: Sequence[int], dtype: np.dtype[Any]) -> str | None:
    """The layout that a shape and a type can only mean; None where there are several."""
    if len(shape) == 2:
        return "nf"
    if len(shape) == 3 and full_scale(dtype):
        return "nhw"
    if len(shape) == 4 and (shape[1] <= 4) != (shape[3] <= 4):
        return "nchw" if shape[1] <= 4 else "nhwc"
    if len(shape) == 5:
        places = [layout for layout, axis in (("ncthw", 1), ("ntchw", 2), ("nthwc", 4)) if shape[axis] <= 4]
        return places[0] if len(places) == 1 else None
    return None
