"""The size of images: files and arrays alike, and as torchvision has it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.geometry import Geometry

RNG = np.random.default_rng(0)
SIZES = [(33, 47), (47, 33), (20, 20), (64, 21), (9, 11), (225, 227)]


def pixels(height: int, width: int) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "geometry", [Geometry((20, 16)), Geometry(24), Geometry(24, (20, 17)), Geometry(None, (12, 13))]
)
@pytest.mark.parametrize("size", SIZES[:5])
def test_arrays_are_sized_as_files_are(geometry, size):
    image = pixels(*size)
    of_file = np.asarray(geometry.of_picture(Image.fromarray(image)))
    (of_array,) = geometry.of_arrays(image[None])
    assert of_array.dtype == np.uint8
    assert of_array.shape == of_file.shape
    assert np.abs(of_array.astype(int) - of_file.astype(int)).max() <= 1


def test_what_is_smaller_than_the_crop_gets_a_black_frame():
    image = np.full((3, 5, 3), 200, np.uint8)
    cut = np.asarray(Geometry(None, (6, 4)).of_picture(Image.fromarray(image)))
    assert cut.shape == (6, 4, 3)
    assert (cut[1:4] == 200).all()
    assert not cut[[0, 4, 5]].any()


def test_nothing_is_asked_for():
    assert not Geometry()
    assert Geometry(8)
    image = Image.fromarray(pixels(5, 6))
    assert Geometry().of_picture(image) is image


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("crop", [(20, 20), (21, 16), None])
def test_it_is_what_torchvision_gives(size, crop):
    transforms = pytest.importorskip("torchvision.transforms")
    image = Image.fromarray(pixels(*size))
    steps = [transforms.Resize(24), *([transforms.CenterCrop(crop)] if crop else [])]
    expected = np.asarray(transforms.Compose(steps)(image))
    np.testing.assert_array_equal(np.asarray(Geometry(24, crop).of_picture(image)), expected)
