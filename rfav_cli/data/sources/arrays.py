"""Arrays of samples in one file: `.npz`, `.npy`, `.pt` or HDF5, told by the content."""

from __future__ import annotations

import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import torch

from rfav_cli.data.sources import LAYOUTS
from rfav_cli.data.sources.base import (
    Location,
    Preset,
    Samples,
    Source,
    check_labels,
    full_scale,
    order_classes,
    resize,
    to_gray,
    to_rgb,
)
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions

SPLITS: tuple[str, ...] = ()
IMAGE_KEYS = ("images", "image", "x", "data", "inputs", "input", "features", "samples", "x_test", "test_images")
LABEL_KEYS = ("labels", "label", "y", "targets", "target", "masks", "y_test", "test_labels")
REMEDY = "Save an array 'images', uint8 or float32, and whole numbers 'labels' beside it."
IN_USE = "Close it where it is open, and try again."
CHUNK = 64
"""Samples that are converted at once, so that a read holds little beyond what it returns."""


class ArraySource(Source):
    """Samples out of one array, on disk or in memory, converted when they are read.

    uint8 images stay so, since they are smaller and are divided by 255 on their way into the net; all else becomes
    float32, vectors and sequences of uint8 by a division by 255, images of uint16 by one by 65535.

    Args:
        name: the specification.
        array: indexed by ascending sample numbers: a numpy array, a memory map, an HDF5 data set.
        labels: (len(array),) int64, or None.
        classes: the names of the classes.
        layout: the axes of the array.
        options: `gray`, `rgb` and `resize` are used here.
        preset: mean and std, or None.
        where: the file, for messages.

    Raises:
        SampleError: `--gray`, `--rgb` or `--resize` is given, and the samples are no images.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        name: str,
        array: Any,
        labels: NDArray[np.int64] | None,
        classes: tuple[str, ...],
        layout: str,
        options: SampleOptions,
        *,
        where: Path,
        preset: Preset | None = None,
    ) -> None:
        self.name, self.labels, self.classes = name, labels, classes
        self.mean = None if preset is None else preset[0]
        self.std = None if preset is None else preset[1]
        self.is_image = layout in ("nhwc", "nchw", "nhw")
        self._array, self._layout, self._options, self._where = array, layout, options, where
        self.scale = full_scale(array.dtype) if self.is_image or array.dtype == np.uint8 else None
        if not self.is_image and (options.gray or options.rgb or options.size):
            option = "--gray" if options.gray else "--rgb" if options.rgb else "--resize"
            raise SampleError(
                f"{printable(where)}: {option} is for images, not {layout} samples", f"Leave {option} out."
            )

    def __len__(self) -> int:
        return len(self._array)

    def read(self, indices: NDArray[np.int64]) -> Samples:
        """Read and convert samples; see `Source.read`. Images are channels last in memory."""
        order = np.argsort(indices, kind="stable")
        result: Samples | None = None
        for start in range(0, len(order), CHUNK):
            rows = order[start : start + CHUNK]
            # HDF5 takes each index once, in ascending order only.
            numbers, inverse = np.unique(indices[rows], return_inverse=True)
            samples = self._convert(np.asarray(self._array[numbers]), numbers)
            if result is None:
                result = np.empty((len(indices), *samples.shape[1:]), dtype=samples.dtype)
            result[rows] = samples[inverse]
        if result is None:
            raise IndexError("no sample asked for")
        return np.moveaxis(result, -1, 1) if self.is_image else result

    def _convert(self, block: NDArray[Any], numbers: NDArray[np.int64]) -> Samples:
        """(n, H, W, C) uint8 or float32 for images, float32 as it lies for the rest."""
        if self._layout == "nchw":
            block = np.moveaxis(block, 1, -1)
        elif self._layout == "nhw":
            block = block[..., None]
        samples: Samples = block
        if not (self.is_image and block.dtype == np.uint8):
            with np.errstate(over="ignore"):  # what overflows is found below
                samples = block.astype(np.float32)
            if self.scale is not None:
                samples = samples / np.float32(self.scale)
            finite = np.isfinite(samples).reshape(len(samples), -1).all(axis=1)
            if not finite.all():
                raise SampleError(
                    f"{printable(self._where)}: sample {numbers[finite.argmin()]} holds NaN or infinite values",
                    "Remove such samples, or put the values right.",
                )
        if self._options.gray:
            samples = to_gray(samples, self._where)
        elif self._options.rgb:
            samples = to_rgb(samples, self._where)
        return resize(samples, self._options.size) if self._options.size else samples


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open a file of arrays: one array of samples, with labels beside it or without.

    Raises:
        SampleError: the file is of no kind that is known, is damaged, holds other things than numbers, or its axes
            cannot be told.
    """
    if location.path.is_dir():
        raise SampleError(
            f"{printable(location.path)}: a folder, not a file of arrays", "Give a .npz, .npy, .pt or .h5 file."
        )
    try:
        entries = _entries(location.path)
        key = _pick(entries, IMAGE_KEYS, location.path)
        if key is None:
            raise SampleError(f"{printable(location.path)}: no samples among {_listed(entries)}", REMEDY)
        label_key = _pick(entries, LABEL_KEYS, location.path)
        array = _as_array(entries[key], location.path)
        raw = None if label_key is None else np.asarray(_as_array(entries[label_key], location.path)[()])
    except SampleError:
        raise
    except pickle.UnpicklingError as error:
        raise SampleError(f"{printable(location.path)}: holds more than tensors, or is damaged", REMEDY) from error
    except Exception as error:  # whatever a reader trips over in a damaged file
        in_use = any(words in str(error) for words in ("lock file", "locking flag", "already open"))
        remedy = IN_USE if in_use else remedy_for(error, REMEDY)
        raise SampleError(f"{printable(location.path)}: cannot be read: {what_it_says(error)}", remedy) from error
    layout = tell_layout(array.shape, array.dtype, options.layout, location.path)
    labels = None if raw is None else check_labels(raw, len(array), location.path)
    labels, classes = order_classes(labels, (), options, location.path)
    return ArraySource(location.name, array, labels, classes, layout, options, where=location.path)


def tell_layout(shape: Sequence[int], dtype: np.dtype[Any], asked: str | None, where: Path) -> str:
    """What the axes of an array are.

    Raises:
        SampleError: they cannot be told, do not fit `--layout`, or the values are of a type that images do not have.
    """
    what = f"{printable(where)}: samples of shape {tuple(shape)}, {dtype}"
    if dtype.kind not in "buif" or 0 in shape:
        raise SampleError(f"{what}: nothing that a net can take", REMEDY)
    layout = asked or _guess(shape, dtype)
    if asked and LAYOUTS[asked] != len(shape):
        raise SampleError(f"{what} are not --layout {asked}", f"{asked} has {LAYOUTS[asked]} axes.")
    if layout is None:
        fitting = [name for name, axes in LAYOUTS.items() if axes == len(shape)]
        if not fitting:
            raise SampleError(f"{what}: {len(shape)} axes", f"Known are {', '.join(LAYOUTS)}.")
        raise SampleError(f"{what}: the axes cannot be told", f"Give --layout {' or '.join(fitting)}.")
    if layout not in ("nf", "nct") and full_scale(dtype):
        return layout
    if layout != "nf" and dtype.kind in "bui" and dtype != np.uint8:
        raise SampleError(
            f"{what}: images are uint8, uint16 or floating-point, sequences uint8 or floating-point",
            "Save them as one of these.",
        )
    return layout


def _guess(shape: Sequence[int], dtype: np.dtype[Any]) -> str | None:
    if len(shape) == 2:
        return "nf"
    if len(shape) == 3 and full_scale(dtype):
        return "nhw"
    if len(shape) == 4 and (shape[1] <= 4) != (shape[3] <= 4):
        return "nchw" if shape[1] <= 4 else "nhwc"
    return None


def _entries(path: Path) -> Mapping[str, Any]:
    """The arrays in a file by name, each read on use where the format allows it."""
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(b"\x93NUMPY"):
        return {"images": np.load(path, mmap_mode="r", allow_pickle=False)}
    if magic.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            is_torch = any(name.endswith("/data.pkl") for name in archive.namelist())
        npz: Mapping[str, Any] = {} if is_torch else np.load(path, allow_pickle=False)
        return _torch_entries(path, mmap=True) if is_torch else npz
    if magic.startswith(b"\x80"):
        return _torch_entries(path, mmap=False)
    if h5py.is_hdf5(path):
        root = h5py.File(path, "r", locking=False)
        # A link could lead to another file, so only what lies in this one counts.
        return {name: root[name] for name in root if isinstance(root.get(name, getlink=True), h5py.HardLink)}
    raise SampleError(f"{printable(path)}: neither a folder of images nor .npz, .npy, .pt or HDF5", REMEDY)


def _torch_entries(path: Path, *, mmap: bool) -> Mapping[str, Any]:
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    if isinstance(content, torch.Tensor):
        return {"images": content}
    if isinstance(content, (tuple, list)) and len(content) == 2:
        return {"images": content[0], "labels": content[1]}
    if isinstance(content, dict):
        return {str(key): value for key, value in content.items()}
    raise SampleError(
        f"{printable(path)}: holds a {type(content).__name__}", "Save a dict of tensors, or (images, labels)."
    )


def _pick(entries: Mapping[str, Any], usual: tuple[str, ...], path: Path) -> str | None:
    names = [name for name in entries if name.lower() in usual]
    if len(names) > 1:
        raise SampleError(f"{printable(path)}: which of {_listed(names)} is meant?", "Keep one of them in the file.")
    return names[0] if names else None


def _listed(names: Mapping[str, Any] | Sequence[str]) -> str:
    return printable(", ".join(map(repr, names)) or "nothing")


def _as_array(value: Any, path: Path) -> Any:
    """What can be indexed as numpy can, with a shape and a numpy type.

    Raises:
        SampleError: it is something else, or its values lie in another file.
    """
    if isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_quantized:
        value = value.detach()
        return (value.float() if value.dtype is torch.bfloat16 else value).numpy()
    if isinstance(value, h5py.Dataset) and (value.is_virtual or value.external):
        raise SampleError(f"{printable(path)}: {printable(value.name)} keeps its values in other files", REMEDY)
    if isinstance(value, (np.ndarray, h5py.Dataset)) and value.shape:
        return value
    raise SampleError(f"{printable(path)}: holds something other than arrays ({type(value).__name__})", REMEDY)
