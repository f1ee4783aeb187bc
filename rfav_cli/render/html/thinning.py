"""What of a long run goes into a page: evenly spread epochs and the first images, as many as its size allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

FEWEST = ((64, None), (64, 8), (12, 8), (2, 1))
"""(epochs, images) that are given up last, in turns: first epochs down to 64, then images down to 8, and so on."""


def spread(count: int, wanted: int, marked: Collection[int] = ()) -> tuple[int, ...]:
    """At most `wanted` indices below `count`, the first and the last among them, evenly spread.

    Args:
        count: of what there is.
        wanted: at least 2.
        marked: indices that the nearest of them makes room for, such as the onset of overfitting.
    """
    if count <= wanted:
        return tuple(range(count))
    chosen = np.linspace(0, count - 1, wanted).round().astype(int)
    for index in marked:
        nearest = int(np.abs(chosen - index).argmin())
        if 0 < nearest < wanted - 1:
            chosen[nearest] = index
    return tuple(int(index) for index in np.unique(chosen))


def fit(epochs: int, images: int, size: int, budget: int) -> tuple[int, int]:
    """How many epochs and images of the heatmaps fit.

    Args:
        epochs: that there are.
        images: that are wanted.
        size: bytes of one image in one epoch, over all layers.
        budget: bytes; it is exceeded rather than that fewer than two epochs of one image are left.

    Returns:
        (epochs, images).
    """
    if not images or not size or not epochs:
        return epochs, images
    for fewest_epochs, fewest_images in FEWEST:
        for count in dict.fromkeys((images, min(images, fewest_images or images))):
            fitting = budget // (size * count)
            if fitting >= min(epochs, fewest_epochs):
                return min(epochs, fitting), count
    return min(epochs, FEWEST[-1][0]), 1
