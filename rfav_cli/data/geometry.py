"""The size that images are brought to: resized, then cut out of the middle, by the rules of torchvision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

BILINEAR = 2
"""Pillow's number of that filter."""


@dataclass(frozen=True)
class Geometry:
    """How an image is resized and cropped; pixels all.

    Attributes:
        resize: (height, width), the length of the shorter side, or None.
        crop: (height, width) that is cut out of the middle, or None; what is missing there is black.
        filter: Pillow's number of the filter that resizes image files: 2 is bilinear, 3 bicubic.
    """

    resize: int | tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    filter: int = BILINEAR

    def __bool__(self) -> bool:
        return self.resize is not None or self.crop is not None

    def target(self, height: int, width: int) -> tuple[int, int]:
        """The (height, width) that an image is resized to.

        >>> Geometry(256).target(300, 401), Geometry(256).target(512, 256), Geometry((8, 9)).target(30, 40)
        ((256, 342), (512, 256), (8, 9))
        """
        if not isinstance(self.resize, int):
            return self.resize or (height, width)
        short, long = sorted((height, width))
        longer = int(self.resize * long / short)
        return (self.resize, longer) if height <= width else (longer, self.resize)

    def of_picture(self, image: Image.Image) -> Image.Image:
        """A picture in this size, as torchvision's Resize and CenterCrop give it."""
        height, width = self.target(image.height, image.width)
        if (width, height) != image.size:
            image = image.resize((width, height), resample=self.filter)
        if self.crop is None:
            return image
        top, left = self._corner(height, width, self.crop)
        return image.crop((left, top, left + self.crop[1], top + self.crop[0]))

    def of_arrays(self, images: NDArray[Any]) -> NDArray[Any]:
        """(n, H, W, C) uint8 or float32 in this size: bilinear, antialiased, as Pillow does for image files."""
        import torch

        size = self.target(*images.shape[1:3])
        if size != images.shape[1:3]:
            tensor = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
            tensor = torch.nn.functional.interpolate(tensor, size, mode="bilinear", antialias=True, align_corners=False)
            images = tensor.permute(0, 2, 3, 1).numpy()
        return images if self.crop is None else self._cut(images, self.crop)

    def _cut(self, images: NDArray[Any], crop: tuple[int, int]) -> NDArray[Any]:
        top, left = self._corner(images.shape[1], images.shape[2], crop)
        pads = []
        for start, length, wanted in zip((top, left), images.shape[1:3], crop, strict=True):
            pads.append((max(0, -start), max(0, start + wanted - length)))
        if any(map(any, pads)):
            images = np.pad(images, ((0, 0), *pads, (0, 0)))
        top, left = max(top, 0), max(left, 0)
        return images[:, top : top + crop[0], left : left + crop[1]]

    @staticmethod
    def _corner(height: int, width: int, crop: tuple[int, int]) -> tuple[int, int]:
        """The upper left corner of what is cut out; below 0 where the image is smaller."""
        corners = []
        for length, wanted in zip((height, width), crop, strict=True):
            missing = wanted - length
            corners.append(-(missing // 2) if missing > 0 else round(-missing / 2))
        return corners[0], corners[1]
