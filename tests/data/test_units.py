from types import SimpleNamespace
from typing import Any

import numpy as np

from rfav_cli.data.sources.base import WORDS
from rfav_cli.data.units import units_notes


def images(highest: float) -> Any:
    return np.array([[[[0.0, highest]]]], dtype=np.float32)


def test_images_of_floating_point_numbers_are_remarked_on_where_they_are_large() -> None:
    source: Any = SimpleNamespace(is_image=True, scale=None)
    assert units_notes(source, images(1.0), None, None) == ()
    (note,) = units_notes(source, images(200.0), None, None)
    assert "up to 200 are taken as they are" in note
    assert units_notes(source, images(200.0), (0.5,), (1.0,)) == ()
    assert units_notes(source, images(200.0).astype(np.uint8), None, None) == ()


def test_pixels_of_sixteen_bits_are_always_remarked_on() -> None:
    source: Any = SimpleNamespace(is_image=True, scale=WORDS)
    (note,) = units_notes(source, images(4095 / WORDS), None, (1.0,))
    assert "divided by 65535" in note
