"""Arrays of samples in one file: `.npz`, `.npy`, `.pt` or HDF5, told by the content."""

from __future__ import annotations

import math
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.data import hdf5_arrays, numpy_files, torch_files
from rfav_cli.data.axes import LAYOUTS
from rfav_cli.data.layouts import REMEDY, guess_layout, tell_layout
from rfav_cli.data.pictures import laid_out, transformed
from rfav_cli.data.sources.base import (
    Location,
    Preset,
    Samples,
    SeveralInputs,
    Source,
    check_labels,
    drawn_twice,
    full_scale,
    image_option,
    order_classes,
    to_gray,
    to_rgb,
)
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.files.hdf5 import is_hdf5
from rfav_cli.files.regular import NotRegularError, open_regular
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions

SPLITS: tuple[str, ...] = ()
IMAGE_KEYS = ("images", "image", "x", "data", "inputs", "input", "features", "samples", "x_test", "test_images")
TOKEN_KEYS = ("input_ids", "token_ids", "tokens", "ids", "token_type_ids", "segment_ids", "position_ids")
MASK_KEYS = ("attention_mask", "padding_mask", "key_padding_mask", "src_key_padding_mask", "mask")
SAMPLE_KEYS = (*IMAGE_KEYS, "pixel_values", "input_values", "input_features", *TOKEN_KEYS[:3])
"""What samples are called where they are one array of several in a file."""
LABEL_KEYS = ("labels", "label", "y", "targets", "target", "masks", "y_test", "test_labels")
IN_USE = "Close it where it is open, and try again."
SEQUENCES, GRAY = "nct", "nhw"
"""What floating-point samples of three axes may be; a net that takes them as they lie says that they are the former."""
CHUNK = 64
"""Samples that are converted at once, so that a read holds little beyond what it returns."""


class ArraySource(Source):
    """Samples out of one array, on disk or in memory, converted when they are read.

    uint8 images stay so, since they are smaller and are divided by 255 on their way into the net; all else becomes
    float32, vectors and sequences of uint8 by a division by 255, images of uint16 by one by 65535. Token ids and masks
    stay whole numbers.

    Args:
        name: the specification.
        array: indexed by ascending sample numbers: a numpy array, a memory map, an HDF5 data set.
        labels: (len(array),) int64, or None.
        classes: the names of the classes.
        layout: the axes of the array; empty for those of samples that are taken as they lie.
        options: `gray`, `rgb`, `transform`, `integers` and the size are used here.
        preset: mean and std, or None.
        where: the file, for messages.

    Raises:
        SampleError: an option for images is given, and the samples are none.
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
        pixels = self.is_image or len(layout) == 5 or array.dtype == np.uint8
        self.scale = full_scale(array.dtype) if pixels else None
        self._integers = options.integers and not self.is_image and array.dtype.kind in "biu"
        self.scale = None if self._integers else self.scale
        self.whole = array.dtype.kind in "biu" and not (self.is_image or self._integers)
        self.axis = 2 if layout == "ntchw" else 1
        if options.transform is not None:
            self.mean, self.std = options.transform.preset or (None, None)
            self.as_is, self.notes = options.transform.preset is None, tuple(filter(None, [options.transform.note]))
        if not self.is_image and (option := image_option(options)):
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
            samples = self._convert(self._block(numbers), numbers)
            if result is None:
                result = np.empty((len(indices), *samples.shape[1:]), dtype=samples.dtype)
            result[rows] = samples[inverse]
        if result is None:
            raise IndexError("no sample asked for")
        return np.moveaxis(result, -1, 1) if self.is_image else result

    def _block(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Samples as they lie, by ascending numbers."""
        try:
            return np.asarray(self._array[numbers])
        except SampleError:
            raise
        except Exception as error:  # whatever HDF5 trips over in a damaged file
            raise SampleError(
                f"{printable(self._where)}: cannot be read: {what_it_says(error)}", remedy_for(error, REMEDY)
            ) from error

    def _convert(self, block: NDArray[Any], numbers: NDArray[np.int64]) -> Samples:
        """(n, H, W, C) uint8 or float32 for images, float32 as it lies for the rest."""
        block = laid_out(block, self._layout)
        if self._options.transform is not None:
            return transformed(block, self._options, self._where)
        if self._integers:
            return block if block.dtype.kind == "b" else block.astype(np.int64)
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
        return self._options.geometry.of_arrays(samples) if self._options.geometry else samples

    def differs(self, indices: NDArray[np.int64]) -> bool:
        """See `Source.differs`."""
        transform = self._options.transform
        return transform is not None and transform.runs_code and drawn_twice(self.read, indices)


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open a file of arrays: one array of samples, or several inputs, with labels beside them or without.

    Raises:
        SampleError: the file is of no kind that is known, is damaged, holds other things than numbers, or its axes
            cannot be told.
    """
    if location.path.is_dir():
        raise SampleError(
            f"{printable(location.path)}: a folder, not a file of arrays", "Give a .npz, .npy, .pt or .h5 file."
        )
    try:
        with _entries(location.path) as entries:
            found = _find(entries, options.inputs, location.path)
            arrays = {name: _as_array(entries, name, location.path) for name in found.inputs}
            raw = None if found.labels is None else _labels(entries, found.labels, location.path)
    except SampleError:
        raise
    except NotRegularError as error:
        raise SampleError(f"{printable(location.path)}: {error.strerror}", "Give the file itself.") from None
    except Exception as error:  # whatever a reader trips over in a damaged file
        in_use = any(words in str(error) for words in ("lock file", "locking flag", "already open"))
        remedy = IN_USE if in_use else remedy_for(error, REMEDY)
        raise SampleError(f"{printable(location.path)}: cannot be read: {what_it_says(error)}", remedy) from error
    first = next(iter(arrays.values()))
    labels = None if raw is None else check_labels(raw, len(first), location.path)
    labels, classes = order_classes(labels, (), options, location.path)
    source: ArraySource | SeveralInputs
    if options.inputs or len(arrays) > 1:
        source = SeveralInputs(location.name, _parts(location, arrays, options), labels, classes)
        source.main = found.inputs[0] if options.inputs else ""
    else:
        options = replace(options, integers=options.integers or found.inputs[0].lower() in TOKEN_KEYS)
        integers = options.integers and first.dtype.kind in "biu"
        either = options.layout is None and len(first.shape) == 3 and first.dtype.kind == "f"
        asked = SEQUENCES if either else options.layout
        layout = "" if integers else tell_layout(first.shape, first.dtype, asked, location.path)
        source = ArraySource(location.name, first, labels, classes, layout, options, where=location.path)
        source.otherwise = GRAY if either else ""
        source.main = found.inputs[0]
    source.others, source.unclear = found.others, found.unclear
    source.notes = (*source.notes, *found.notes)
    return source


@dataclass(frozen=True)
class _Found:
    """Which arrays of a file are what; see `Source` for `others` and `unclear`."""

    inputs: tuple[str, ...]
    labels: str | None
    others: tuple[str, ...] = ()
    unclear: SampleError | None = None
    notes: tuple[str, ...] = ()


def _find(entries: Mapping[str, Any], asked: tuple[str, ...], path: Path) -> _Found:
    """Find the samples and the labels by the usual names.

    Raises:
        SampleError: there are none, or none of those that were asked for.
    """
    labels = [name for name in entries if name.lower() in LABEL_KEYS and name not in asked]
    of_all = sorted(labels, key=lambda name: LABEL_KEYS.index(name.lower()))
    label = of_all[0] if of_all else None
    unclear = _which(labels, path) if len(labels) > 1 else None
    if asked:
        if missing := [name for name in asked if name not in entries]:
            raise SampleError(f"{printable(path)}: no {_listed(missing)} among {_listed(entries)}", REMEDY)
        return _Found(asked, label, (), unclear)
    if _are_samples_and_labels(entries):
        return _Found(
            ("arr_0",), "arr_1", notes=("the labels are taken of 'arr_1', which numpy.savez calls the second",)
        )
    usual = [name for name in entries if name.lower() in SAMPLE_KEYS]
    if len(usual) == 1:
        others = tuple(name for name in entries if name not in (usual[0], label))
        return _Found((usual[0],), label, others, unclear)
    names = [name for name in entries if name != label]
    size = None if label is None else len(entries[label]) if getattr(entries[label], "shape", ()) else 0
    arrays = _fitting(entries, usual or [name for name in names if name not in labels], size)
    if not arrays:
        raise SampleError(f"{printable(path)}: no samples among {_listed(entries)}", REMEDY)
    if len(arrays) == 1 and len(entries[arrays[0]].shape) > 1:
        note = f"the samples are taken of {printable(arrays[0])!r}, the only array of numbers beside the labels"
        return _Found(tuple(arrays), label, tuple(of_all[1:]), unclear, (note,))
    none = SampleError(f"{printable(path)}: no samples among {_listed(entries)}", REMEDY)
    return _Found(tuple(_fitting(entries, names, size)), label, (), _which(usual, path) if usual else none)


def _are_samples_and_labels(entries: Mapping[str, Any]) -> bool:
    """Whether arrays without names are those of `numpy.savez(file, x, y)`: the second has a number a sample."""
    if set(entries) != {"arr_0", "arr_1"} or set(_fitting(entries, ["arr_0", "arr_1"], None)) != set(entries):
        return False
    return len(entries["arr_0"].shape) > 1 and math.prod(entries["arr_1"].shape[1:]) == 1


def _which(names: Sequence[str], path: Path) -> SampleError:
    return SampleError(f"{printable(path)}: which of {_listed(names)} is meant?", "Keep one of them in the file.")


def _fitting(entries: Mapping[str, Any], names: Sequence[str], size: int | None) -> list[str]:
    """The names of arrays of numbers that have so many samples, or as many as the first of them."""
    fitting = []
    for name in names:
        array = entries[name]  # the reason instead, of an array of objects
        dtype = getattr(array, "dtype", None)
        numbers = isinstance(dtype, torch.dtype) or (isinstance(dtype, np.dtype) and dtype.kind in "biuf")
        if numbers and len(array.shape) and len(array) == (size := len(array) if size is None else size):
            fitting.append(name)
    return fitting


def _parts(location: Location, arrays: Mapping[str, Any], options: SampleOptions) -> dict[str, Source]:
    """Each of several inputs; what is no image is taken as it lies.

    Raises:
        SampleError: they are not of one number of samples, or an option is for images where there are none.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{printable(name)} {length}" for name, length in lengths.items())
        raise SampleError(f"{printable(location.path)}: the inputs have different numbers of samples: {told}", REMEDY)
    parts: dict[str, Source] = {}
    plain = replace(options, gray=False, rgb=False, resize=None, center_crop=None, transform=None, integers=True)
    for name, array in arrays.items():
        layout = _layout_of_part(name, array, options, location.path)
        image = layout in ("nhwc", "nchw", "nhw")
        bytes_ = array.dtype == np.uint8 and name.lower() not in (*TOKEN_KEYS, *MASK_KEYS)
        chosen = options if image else replace(plain, integers=not bytes_)
        part = ArraySource(location.name, array, None, (), layout, chosen, where=location.path)
        if bytes_ and not image:
            part.notes = (f"the bytes of {printable(name)!r} are divided by 255",)
        parts[argument_of(name)] = part
    if (option := image_option(options)) and not any(part.is_image for part in parts.values()):
        raise SampleError(f"{printable(location.path)}: {option} is for images", f"Leave {option} out.")
    return parts


def argument_of(name: str) -> str:
    """The argument that an array is for: what `numpy.savez` calls `arr_0` has a place and no name.

    >>> argument_of("arr_1"), argument_of("meta")
    ('1', 'meta')
    """
    return name[4:] if name.startswith("arr_") and name[4:].isdecimal() else name


def _layout_of_part(name: str, array: Any, options: SampleOptions, where: Path) -> str:
    """The axes of one of several inputs; empty for one that is taken as it lies."""
    shape, dtype = array.shape, array.dtype
    if options.layout is not None and LAYOUTS[options.layout] == len(shape):
        return options.layout
    small = full_scale(dtype) is not None and name.lower() not in (*TOKEN_KEYS, *MASK_KEYS)
    if len(shape) == 4 and small:
        return tell_layout(shape, dtype, None, where)
    if len(shape) == 3 and small:
        return "nhw"
    return (guess_layout(shape, dtype) or "") if len(shape) > 3 and dtype.kind in "fu" else ""


@contextmanager
def _entries(path: Path) -> Iterator[Mapping[str, Any]]:
    """The arrays in a file by name, each read on use where the format allows it."""
    with open_regular(path) as file:
        yield _arrays_in(path, file)


def _arrays_in(path: Path, file: IO[bytes]) -> Mapping[str, Any]:
    magic = file.read(8)
    file.seek(0)
    if magic.startswith(numpy_files.MAGIC):
        return {"images": numpy_files.NpyFile(path, file)}
    if magic.startswith(b"PK"):
        with zipfile.ZipFile(file) as archive:
            is_torch = any(name.endswith("/data.pkl") for name in archive.namelist())
        if not is_torch:
            return numpy_files.npz_members(path, file)
    if magic.startswith((b"PK", b"\x80")):
        return torch_files.tensors(path)
    if is_hdf5(file):
        return hdf5_arrays.data_sets(file)
    if path.suffix == ".py":
        raise SampleError(f"{printable(path)}: code", f"Name what gives the samples in it: {printable(path)}:NAME.")
    raise SampleError(f"{printable(path)}: neither a folder of images nor .npz, .npy, .pt or HDF5", REMEDY)


def _listed(names: Mapping[str, Any] | Sequence[str]) -> str:
    return printable(", ".join(map(repr, names)) or "nothing")


def _as_array(entries: Mapping[str, Any], name: str, path: Path) -> Any:
    """What can be indexed as numpy can, with a shape and a numpy type.

    Raises:
        SampleError: it is something else, its values lie in another file, or are far fewer than it declares.
    """
    value = entries[name]
    if isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_quantized:
        return torch_files.as_array(path, name, value)
    if isinstance(value, hdf5_arrays.Dataset) and value.shape:
        return hdf5_arrays.Stored(path, value)
    if isinstance(value, numpy_files.Member) and value.shape:
        return value.read()
    if isinstance(value, (np.ndarray, numpy_files.NpyFile)) and value.shape:
        return value
    what = printable(value) if isinstance(value, ValueError) else type(value).__name__
    raise SampleError(f"{printable(path)}: holds something other than arrays ({printable(what)})", REMEDY)


def _labels(entries: Mapping[str, Any], name: str, path: Path) -> NDArray[Any]:
    """The labels; where they are no numbers, none of them."""
    array = _as_array(entries, name, path)
    return np.asarray(array[()]) if array.dtype.kind in "biuf" else np.empty((0, 1), array.dtype)
