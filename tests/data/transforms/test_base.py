"""What transforms share."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from rfav_cli.data.geometry import Geometry
from rfav_cli.data.transforms.base import pixels_of_tensor, resized

IMAGE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def test_a_picture_keeps_its_bytes():
    assert resized(Geometry())(Image.fromarray(IMAGE)).tolist() == IMAGE.tolist()
    assert resized(Geometry())(Image.fromarray(IMAGE[..., 0])).shape == (6, 8, 1)
    assert resized(Geometry((3, 4)))(Image.fromarray(IMAGE)).shape == (3, 4, 3)


@pytest.mark.parametrize("value", [torch.from_numpy(IMAGE), IMAGE, torch.from_numpy(IMAGE)[None].double()])
def test_channels_go_last(value):
    moved = torch.as_tensor(value).movedim(-1, -3)
    pixels = pixels_of_tensor(moved if isinstance(value, torch.Tensor) else moved.numpy())
    assert pixels.tolist() == IMAGE.tolist()
    assert pixels.dtype in (np.uint8, np.float32)


@pytest.mark.parametrize("value", [torch.zeros(3), torch.zeros(2, 3, 4, 4), "image", np.zeros((3, 4, 4), complex)])
def test_what_is_no_image(value):
    with pytest.raises(ValueError, match="it gives"):
        pixels_of_tensor(value)
