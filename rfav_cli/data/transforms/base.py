"""What every transform of images is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from rfav_cli.data.geometry import Geometry
    from rfav_cli.data.units import Preset, Samples


@dataclass(frozen=True)
class Request:
    """What is asked for, and of which run.

    Attributes:
        model: the net that is measured, as the user gave it.
        model_arg: its arguments.
        places: folders that may hold what belongs to the checkpoints.
        spec: what the user gave: "hf:FOLDER".
        address: what stands behind the name: "FOLDER".
    """

    model: str = ""
    model_arg: tuple[str, ...] = ()
    places: tuple[Path, ...] = ()
    spec: str = ""
    address: str = ""


@dataclass(frozen=True)
class Transform:
    """What an image goes through.

    Attributes:
        spec: what the user gave.
        pixels: from a picture, of mode RGB or L, to (H, W, C): uint8 to be divided by 255 and normalised by the preset,
            or float32 as they enter the net.
        preset: mean and deviation for those of uint8, or None.
        runs_code: it is the user's own, and may draw at random.
        note: what the user should be told.
    """

    spec: str
    pixels: Callable[[Image.Image], Samples]
    preset: Preset | None = None
    runs_code: bool = False
    note: str = ""


def resized(geometry: Geometry) -> Callable[[Image.Image], Samples]:
    """What brings a picture into a size, and leaves its bytes."""

    def pixels(image: Image.Image) -> Samples:
        values: NDArray[np.uint8] = np.asarray(geometry.of_picture(image), dtype=np.uint8)
        return values.reshape(*values.shape[:2], -1)

    return pixels


def pixels_of_tensor(value: Any) -> Samples:
    """(C, H, W), a tensor or an array, as (H, W, C): uint8 as it is, everything else as float32.

    Raises:
        ValueError: it is no image.
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().as_subclass(torch.Tensor).numpy()
    array = np.asarray(value)
    if array.ndim == 4 and len(array) == 1:  # image processors give batches
        array = array[0]
    if array.ndim != 3 or array.dtype.kind not in "uif":
        raise ValueError(f"it gives {array.dtype} of shape {array.shape}, and no (C, H, W)")
    pixels: Samples = array if array.dtype == np.uint8 else array.astype(np.float32)
    return np.moveaxis(pixels, 0, -1)
