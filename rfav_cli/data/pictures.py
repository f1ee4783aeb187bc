"""Pictures, as Pillow decodes them, as pixels that enter a net."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from rfav_cli.data.declared import FEWEST
from rfav_cli.data.units import WORDS
from rfav_cli.errors import SampleError
from rfav_cli.files.regular import open_regular
from rfav_cli.files.sizes import swells
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.declared import Account
    from rfav_cli.data.geometry import Geometry
    from rfav_cli.data.transforms.base import Transform
    from rfav_cli.data.units import Samples

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
"""The decoders of Pillow that a file may choose by its content: none that runs another program."""
MOST_PIXELS = Image.MAX_IMAGE_PIXELS or 89_478_485
"""Pixels of a picture, as many as Pillow takes without a word."""
_MUCH = 2**27
"""Bytes of pixels that a file of any size may have: two copies of them exist for a while."""
_END = 2**16
"""Bytes at the end of a file, among which a PNG ends, whatever was put behind it."""
_BANDS = {"1": 1, "L": 1, "P": 1, "LA": 2, "RGB": 3, "YCbCr": 3, "LAB": 3, "HSV": 3}

DEEP_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
"""Gray, with more than eight bits a pixel."""
GRAY_MODES = frozenset({"1", "L", "LA", "La"}) | DEEP_MODES


@contextmanager
def opened(source: Path | bytes, account: Account | None = None) -> Iterator[Image.Image]:
    """A picture, in a file or in memory, whose size has been looked at before any of it is unpacked.

    Args:
        source: the file, or what it holds.
        account: of the pictures that it is in memory with.

    Raises:
        SampleError: those have far more pixels than they can hold.
        OSError: it cannot be read, is no regular file, or no picture.
        ValueError: it has far more pixels than it can hold.
        Exception: whatever a decoder trips over in a broken file.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else open_regular(source) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        with Image.open(file, formats=FORMATS) as image:
            pixels = image.width * image.height
            whole = pixels * _BANDS.get(image.mode, 4)
            if pixels > MOST_PIXELS or swells(whole, size, FEWEST, _MUCH):
                raise ValueError(f"{image.width:,}x{image.height:,} pixels in {size:,} bytes")
            if image.format == "PNG":
                _refuse_cut_off(file, size)
            if account is not None:
                account.add(whole, size)
            yield image


def _refuse_cut_off(file: IO[bytes], size: int) -> None:
    """Refuse a PNG without its end: Pillow shows what there is of one, if only black."""
    place = file.tell()
    file.seek(max(0, size - _END))
    is_whole = b"IEND" in file.read()
    file.seek(place)
    if not is_whole:
        raise ValueError("cut off")


class Reading(Protocol):
    """How pictures are read: the options of samples.

    Attributes:
        gray: reduce them to one channel.
        geometry: the size that they are brought to.
        transform: what they go through instead, or None.
    """

    @property
    def gray(self) -> bool: ...  # noqa: D102

    @property
    def geometry(self) -> Geometry: ...  # noqa: D102

    @property
    def transform(self) -> Transform | None: ...  # noqa: D102


def pixels_of(image: Image.Image, options: Reading) -> Samples:
    """A picture as (H, W, 1) where it is gray or is to be, else (H, W, 3): uint8, or float32 of more bits.

    Args:
        image: a picture of any mode.
        options: how it is read.

    Raises:
        ValueError: it has pixels that cannot be used.
        SampleError: the transform failed on it.
    """
    image = plain(image)
    if options.transform is not None:
        if image.mode == "F":
            raise ValueError("more than eight bits a pixel, which --transform would cut off")
        return options.transform.pixels(image.convert("L" if options.gray else "RGB"))
    if options.gray and image.mode == "RGB":
        image = image.convert("L")
    image = options.geometry.of_picture(image)
    values: Any = np.asarray(image, dtype=np.float32 if image.mode == "F" else np.uint8)
    pixels: Samples = values.reshape(*values.shape[:2], -1)
    return pixels


def transformed(images: NDArray[Any], options: Reading, where: Path) -> Samples:
    """(n, H, W, C) uint8 through the transform, each as a picture.

    Raises:
        SampleError: they are no bytes, or it gives images of different sizes.
    """
    if images.dtype != np.uint8:
        raise SampleError(
            f"{printable(where)}: --transform is for images of bytes, and these are of type {images.dtype}",
            "Leave --transform out, or save them as uint8.",
        )
    pictures = (Image.fromarray(each[..., 0] if each.shape[-1] == 1 else each[..., :3]) for each in images)
    pixels = [pixels_of(picture, options) for picture in pictures]
    if len({each.shape for each in pixels}) > 1:
        raise SampleError(f"{printable(where)}: --transform gives images of different sizes", "Have it give one size.")
    together: Any = np.stack(pixels)
    samples: Samples = together
    return samples


def laid_out(block: NDArray[Any], layout: str) -> NDArray[Any]:
    """Images with channels last, and videos with channels first."""
    if layout == "nchw":
        return np.moveaxis(block, 1, -1)
    if layout == "nthwc":
        return np.moveaxis(block, -1, 1)
    return block[..., None] if layout == "nhw" else block


def plain(image: Image.Image) -> Image.Image:
    """An image of mode L or RGB, or of mode F where it has more than eight bits a pixel: from 0 to 1, or as it lies."""
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise ValueError("more than 16 bits a pixel")
        return Image.fromarray(values.astype(np.float32) / np.float32(WORDS))
    if image.mode == "F":
        if not np.isfinite(np.asarray(image)).all():
            raise ValueError("pixels that are NaN or infinite")
        return image
    if image.mode in GRAY_MODES:
        return image.convert("L")
    if image.mode == "RGB":
        return image
    # Pillow warns where a palette with transparency is turned into RGB in one step.
    return (image.convert("RGBA") if image.mode == "P" and "transparency" in image.info else image).convert("RGB")
