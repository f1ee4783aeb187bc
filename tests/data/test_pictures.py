"""Pictures of every mode as pixels; `sources/test_folder.py` reads them from files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.pictures import laid_out, pixels_of, plain
from rfav_cli.data.sources import SampleOptions
from rfav_cli.data.transform import find_transform
from rfav_cli.data.transforms.base import Request


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3), ("CMYK", 3), ("I;16", 1)]
)
def test_channels(mode, channels):
    pixels = pixels_of(Image.new(mode, (5, 4)), SampleOptions())
    assert pixels.shape == (4, 5, channels)
    assert pixels.dtype == (np.float32 if mode == "I;16" else np.uint8)


def test_options_are_used():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8))
    assert pixels_of(image, SampleOptions(gray=True)).shape == (8, 6, 1)
    assert pixels_of(image, SampleOptions(resize=4, center_crop=3)).shape == (3, 3, 3)


def test_sixteen_bits_are_scaled_and_kept_from_a_transform():
    deep = Image.fromarray(np.full((2, 2), 65535, np.uint16))
    assert np.asarray(plain(deep)).max() == 1
    transform = find_transform("imagenet", Request())
    with pytest.raises(ValueError, match="more than eight bits"):
        pixels_of(deep, SampleOptions(transform=transform))


def test_images_are_laid_out_with_channels_last_and_videos_with_channels_first():
    for layout, shape, expected in (
        ("nchw", (1, 3, 4, 5), (1, 4, 5, 3)),
        ("nhwc", (1, 4, 5, 3), (1, 4, 5, 3)),
        ("nhw", (1, 4, 5), (1, 4, 5, 1)),
        ("nthwc", (1, 2, 4, 5, 3), (1, 3, 2, 4, 5)),
    ):
        assert laid_out(np.zeros(shape), layout).shape == expected
