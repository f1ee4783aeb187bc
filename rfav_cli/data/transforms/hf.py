"""`--transform hf`: what an image processor of Hugging Face does, by its `preprocessor_config.json`, read as data."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.data.geometry import BILINEAR, Geometry
from rfav_cli.data.transforms.base import Transform, resized
from rfav_cli.errors import SampleError
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from rfav_cli.data.transforms.base import Request
    from rfav_cli.data.units import Preset, Samples

FILES = ("preprocessor_config.json", "processor_config.json")
LARGEST = 10_000_000
"""Bytes of such a file."""
UNKNOWN = ("do_pad", "do_thumbnail", "do_align_long_axis", "do_image_splitting", "rescale_offset", "do_crop_margin")
"""Steps that are not done here, so that a processor that does one is refused."""
OTHERS = ("Levit", "Perceiver")
"""Processors that have a rule of their own."""
BYTES = 1 / 255


def make_transform(request: Request) -> Transform:
    """The transform of a folder: `hf:FOLDER`, or where the checkpoints are.

    Raises:
        SampleError: there is no such file, or it says what is not done here.
    """
    file = _find(request)
    config = _read(file)
    geometry, mean, std = _geometry(config, file), *_normalisation(config, file)
    factor = config.get("rescale_factor", BYTES) if config.get("do_rescale", True) else 1.0
    if not isinstance(factor, (int, float)) or isinstance(factor, bool) or not 0 < factor < math.inf:
        raise _odd(file, "rescale_factor", factor)
    note = f"images go through the image processor of {printable(file)}"
    if abs(factor / BYTES - 1) < 1e-6:
        preset: Preset | None = (mean, std) if mean else None
        return Transform(request.spec, resized(geometry), preset, note=note)
    sized = resized(geometry)

    def pixels(image: Image.Image) -> Samples:
        values: NDArray[np.float32] = sized(image).astype(np.float32) * np.float32(factor)
        if mean:
            values -= np.asarray(mean, np.float32)
            values /= np.asarray(std, np.float32)
        return values

    return Transform(request.spec, pixels, note=note)


def _find(request: Request) -> Path:
    folders = [Path(request.address).expanduser()] if request.address else list(request.places)
    for folder in folders:
        if folder.is_file():
            return folder
        for name in FILES:
            if (folder / name).is_file():
                return folder / name
    where = f"{printable(folders[0])}: " if request.address else ""
    raise SampleError(
        f"--transform {printable(request.spec)}: {where}there is no {FILES[0]}",
        "Give the folder that holds it: --transform hf:FOLDER.",
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError("too long for a configuration")
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SampleError(f"{printable(file)}: {what_it_says(error)}", "Give a file of an image processor.") from None
    if isinstance(config, dict) and isinstance(config.get("image_processor"), dict):
        config = config["image_processor"]
    if not isinstance(config, dict) or not any(key in config for key in ("do_resize", "size", "image_mean")):
        raise SampleError(f"{printable(file)}: describes no image processor", "Give a file of an image processor.")
    kind = str(config.get("image_processor_type", config.get("feature_extractor_type", "")))
    odd = [name for name in UNKNOWN if config.get(name)] + [name for name in OTHERS if kind.startswith(name)]
    if odd:
        raise SampleError(
            f"{printable(file)}: {odd[0]} of {printable(kind) or 'an image processor'} is not done by rfav",
            "Give your own: --transform package.module:transform, a function that calls the processor.",
        )
    return config


def _geometry(config: dict[str, Any], file: Path) -> Geometry:
    size = config.get("size") if config.get("do_resize", True) else None
    crop = _sides(config.get("crop_size"), file) if config.get("do_center_crop") else None
    resample = config.get("resample", BILINEAR)
    if not isinstance(resample, int) or not 0 <= resample <= 5:
        raise _odd(file, "resample", resample)
    if size is None:
        return Geometry(None, crop, resample)
    short = size.get("shortest_edge") if isinstance(size, dict) else size if crop else None
    if short is None:
        return Geometry(_sides(size, file), crop, resample)
    short = _side(short, file)
    share = config.get("crop_pct")
    kind = str(config.get("image_processor_type", config.get("feature_extractor_type", "")))
    if kind.startswith("ConvNext"):
        if short >= 384:
            return Geometry((short, short), None, resample)
        share, crop = share or 224 / 256, (short, short)
    if share is not None:
        if not isinstance(share, (int, float)) or not 0 < share <= 1:
            raise _odd(file, "crop_pct", share)
        short = int(short / share)
    return Geometry(short, crop, resample)


def _sides(size: Any, file: Path) -> tuple[int, int]:
    if isinstance(size, dict) and {"height", "width"} <= size.keys():
        return _side(size["height"], file), _side(size["width"], file)
    if isinstance(size, dict):
        size = size.get("shortest_edge", size)
    side = _side(size, file)
    return side, side


def _side(value: Any, file: Path) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10_000:
        return value
    raise _odd(file, "size", value)


def _normalisation(config: dict[str, Any], file: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation, one value a channel; nothing where it does not normalise."""
    if not config.get("do_normalize", "image_mean" in config):
        return (), ()
    found = []
    for name in ("image_mean", "image_std"):
        values = config.get(name)
        values = values if isinstance(values, list) else [values]
        plain = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
        if len(plain) != len(values) or len(plain) not in (1, 3) or (name == "image_std" and min(plain) <= 0):
            raise _odd(file, name, config.get(name))
        found.append(tuple(map(float, plain)))
    return found[0], found[1]


def _odd(file: Path, name: str, value: Any) -> SampleError:
    return SampleError(f"{printable(file)}: {name} is {printable(value, 60)}", "Put that right, or give --transform.")
