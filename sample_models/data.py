"""A small image data set that is drawn, not downloaded: ten classes of shapes and textures under noise and jitter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Field = NDArray[np.float64]

SIZE = 32
NOISE, CLUTTER, TINT = 0.12, 0.12, 0.12
"""Standard deviations of each pixel's grain, of the blotches and of the tints, where 1 is white."""


def _triangle(u: Field, v: Field) -> Field:
    return np.minimum(0.45 - v, np.minimum(0.3 + 0.5 * v + 0.87 * u, 0.3 + 0.5 * v - 0.87 * u))


def _cross(u: Field, v: Field) -> Field:
    u, v = np.abs(u), np.abs(v)
    return np.minimum(0.22 - np.minimum(u, v), 0.75 - np.maximum(u, v))


CLASSES: dict[str, Callable[[Field, Field], Field]] = {
    "disc": lambda u, v: 0.62 - np.hypot(u, v),
    "ring": lambda u, v: 0.17 - np.abs(np.hypot(u, v) - 0.55),
    "square": lambda u, v: 0.55 - np.maximum(np.abs(u), np.abs(v)),
    "triangle": _triangle,
    "cross": _cross,
    "stripes": lambda u, _: 0.2 * np.sin(8 * u),
    "waves": lambda u, v: 0.2 * np.sin(8 * u + 1.5 * np.sin(5 * v)),
    "checks": lambda u, v: 0.3 * np.sin(6 * u) * np.sin(6 * v),
    "dots": lambda u, v: 0.15 * (np.cos(7 * u) + np.cos(7 * v) - 0.8),
    "target": lambda u, v: 0.2 * np.sin(10 * np.hypot(u, v)),
}
"""Class name -> a function of the object's own coordinates that is positive inside; in the order of the labels."""


def draw(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw images of the ten classes in equal numbers (to one), in random order.

    Args:
        count: N.
        seed: the same seed draws the same images.

    Returns:
        images: (N, 32, 32, 3) uint8.
        labels: (N,) int64, indices into `CLASSES`.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(CLASSES))
    u, v = _coordinates(count, rng)
    inside = np.empty_like(u)
    for label, height in enumerate(CLASSES.values()):
        chosen = labels == label
        inside[chosen] = height(u[chosen], v[chosen])
    cover = 1 / (1 + np.exp(-16 * inside))[..., None]
    inside_colour, outside_colour = _colours(count, rng)
    images = cover * inside_colour + (1 - cover) * outside_colour
    images += _clutter(count, rng) + rng.normal(0, NOISE, images.shape)
    return (255 * images.clip(0, 1)).astype(np.uint8), labels


def _coordinates(count: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Where each pixel lies on the object, (N, 32, 32) each: shifted, turned and scaled at random."""
    axis = np.linspace(-1, 1, SIZE)
    x = axis + rng.uniform(-0.3, 0.3, (count, 1, 1))
    y = axis[:, None] + rng.uniform(-0.3, 0.3, (count, 1, 1))
    angle = rng.uniform(0, 2 * np.pi, (count, 1, 1))
    zoom = np.exp(rng.uniform(-0.35, 0.35, (count, 1, 1)))
    return zoom * (x * np.cos(angle) + y * np.sin(angle)), zoom * (y * np.cos(angle) - x * np.sin(angle))


def _colours(count: int, rng: np.random.Generator) -> Field:
    """The colours of object and ground, (2, N, 1, 1, 3): one is light and one dark, each with a tint."""
    lightness = np.stack([rng.uniform(0.1, 0.45, count), rng.uniform(0.55, 0.9, count)])
    lightness = rng.permuted(lightness, axis=0)
    return lightness[..., None, None, None] + rng.normal(0, TINT, (2, count, 1, 1, 3))


def _clutter(count: int, rng: np.random.Generator) -> Field:
    """Smooth blotches of light and colour, (N, 32, 32, 3): a coarse grid of noise, interpolated."""
    knots = 6
    axis = np.linspace(0, knots - 1, SIZE)
    weights = np.maximum(0, 1 - np.abs(axis[:, None] - np.arange(knots)))
    coarse = rng.normal(0, CLUTTER, (count, knots, knots, 3))
    blotches: Field = np.einsum("yi,xj,nijc->nyxc", weights, weights, coarse, optimize=True)
    return blotches
