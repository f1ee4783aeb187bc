"""What the user should be told of the units of images that are not bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.data.sources.base import WORDS

if TYPE_CHECKING:
    from rfav_cli.data.sources.base import Samples, Source


def units_notes(
    source: Source, images: Samples, mean: tuple[float, ...] | None, std: tuple[float, ...] | None
) -> tuple[str, ...]:
    """What the user should be told of the units of images that are not bytes."""
    if images.dtype != np.float32 or not source.is_image:
        return ()
    highest = float(images.max())
    if source.scale == WORDS:
        return (_words_note(round(highest * WORDS), mean or (0.0,), std or (1.0,)),)
    if mean is not None or highest <= 16:
        return ()
    return (f"floating-point images up to {highest:g} are taken as they are; only whole numbers are scaled",)


def _words_note(highest: int, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    """What pixels of 16 bits are divided by; where the highest fills fewer bits, what else suits.

    A mean and deviation that are as small as such pixels are taken for those of these pixels.
    """
    note = f"pixels of 16 bits are divided by {WORDS:g}"
    full = (1 << highest.bit_length()) - 1
    part = full / WORDS
    if not 0 < full < 1 << 15 or max(*mean, *std) <= part * 1.01:
        return note
    values = [("--std", std)] if not any(mean) else [("--mean", mean), ("--std", std)]
    given = " ".join(f"{name} {','.join(f'{value * part:.7g}' for value in numbers)}" for name, numbers in values)
    return f"{note}; the highest is {highest}, so where the net was trained on pixels divided by {full}, give {given}"
