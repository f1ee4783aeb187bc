"""A folder of image files: a sub-folder a class, its label its place in the alphabet; or flat, without labels."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from rfav_cli.data.declared import refuse_swelling
from rfav_cli.data.pictures import DEEP_MODES, GRAY_MODES, opened, pixels_of
from rfav_cli.data.roots import refuse_root, tables_in
from rfav_cli.data.sources.base import (
    BYTES,
    WORDS,
    Location,
    Preset,
    Samples,
    Source,
    drawn_twice,
    order_classes,
    thrice,
)
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.files.regular import NotRegularError
from rfav_cli.files.sizes import MUCH
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions

SPLITS: tuple[str, ...] = ()
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
EIGHT_BITS = frozenset({".jpg", ".jpeg", ".webp", ".gif", ".bmp"})
"""Suffixes of formats that have no such pixels."""

CUT = "of colour images with 16 bits a channel, Pillow reads the upper 8, as ImageFolder does; arrays keep all"


class ImageFiles(Source):
    """Image files, decoded when they are read.

    Whether images have one channel or three is a matter of the whole set, so that every read gives the same: one where
    all files are gray, or `--gray` asks for it. Transparency is dropped and a rotation in the EXIF data is ignored, as
    by `torchvision.datasets.ImageFolder`; of an animation the first picture counts. Gray pixels of 16 bits become
    float32, divided by 65535, and floating-point ones stay as they are, so that no bit is dropped; where any file of a
    gray set has such pixels, all are float32.

    Args:
        name: the specification.
        files: the paths.
        labels: (len(files),) int64, or None.
        classes: the names of the classes.
        options: `gray`, `rgb`, `transform` and the size are used here.
        preset: mean and std, or None.
        coloured: whether any file is in colour; None to look where it matters.
        notes: what the user should be told once.
    """

    is_image = True
    scale: float | None = BYTES

    def __init__(
        self,
        name: str,
        files: Sequence[Path],
        labels: NDArray[np.int64] | None,
        classes: tuple[str, ...],
        options: SampleOptions,
        *,
        preset: Preset | None = None,
        coloured: bool | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name, self.labels, self.classes, self.notes = name, labels, classes, notes
        self.mean = None if preset is None else preset[0]
        self.std = None if preset is None else preset[1]
        if options.transform is not None:
            self.mean, self.std = options.transform.preset or (None, None)
            self.as_is = options.transform.preset is None
            self.notes = (*notes, *filter(None, [options.transform.note]))
        self._files, self._options, self._known_colour = files, options, coloured
        self._cut = False

    def __len__(self) -> int:
        return len(self._files)

    def read(self, indices: NDArray[np.int64]) -> Samples:
        """Decode images: (n, C, H, W) uint8 or float32, channels last in memory; see `Source.read`."""
        first = self._decode(int(indices[0]))
        self._refuse_swelling(indices, len(indices) * first.nbytes)
        final = self._options.transform is not None
        images: Samples = np.empty((len(indices), *first.shape), dtype=first.dtype)
        for row, index in enumerate(indices):
            pixels = self._decode(int(index)) if row else first
            if pixels.shape[:2] != images.shape[1:3]:
                raise SampleError(
                    f"{self._shape(int(indices[0]), first)}, but {self._shape(int(index), pixels)}",
                    "Give --resize to bring them to one size (with --center-crop it keeps their proportions).",
                )
            if pixels.shape[2] != images.shape[3] and final:
                raise SampleError(
                    f"{self._shape(int(index), pixels)}: --transform gives it another number of channels",
                    "Have the transform give one form.",
                )
            if pixels.shape[2] > images.shape[3]:
                images = thrice(images)
            if pixels.dtype != images.dtype:
                images, pixels = _as_floats(images), _as_floats(pixels)
            images[row] = pixels
        if final:
            self.scale = BYTES if images.dtype == np.uint8 else None
            finished: Samples = images.transpose(0, 3, 1, 2)
            return finished
        if images.dtype == np.uint8 and images.shape[3] == 1 and self._deep:
            images = _as_floats(images)
        if images.dtype == np.float32:
            self.scale = self._scale_of_floats()
        if images.shape[3] == 1 and (self._options.rgb or self._coloured):
            images = thrice(images)
        result: Samples = images.transpose(0, 3, 1, 2)
        return result

    def _refuse_swelling(self, indices: NDArray[np.int64], whole: int) -> None:
        """Refuse images that are far more together than their files, each of which may be blank."""
        if whole > MUCH:
            files = (self._files[index] for index in indices.tolist())
            refuse_swelling(printable(self.name), whole, sum(file.stat().st_size for file in files if file.is_file()))

    @property
    def _coloured(self) -> bool:
        if self._options.gray or self._known_colour is not None:
            return bool(self._known_colour) and not self._options.gray
        return not self._modes <= GRAY_MODES

    @property
    def _deep(self) -> bool:
        may_be = any(file.suffix.lower() not in EIGHT_BITS for file in self._files)
        return may_be and not self._modes.isdisjoint(DEEP_MODES)

    @cached_property
    def _modes(self) -> frozenset[str]:
        """Of all files that can be opened."""
        return frozenset(filter(None, map(_mode, self._files)))

    def _scale_of_floats(self) -> float | None:
        if "F" not in self._modes:
            return WORDS
        if self._modes != {"F"}:
            raise SampleError(
                f"{printable(self.name)}: holds images with floating-point pixels beside others",
                "Give images of one kind: the unit of floating-point pixels is not known.",
            )
        return None

    def _decode(self, index: int) -> Samples:
        """One image: (H, W, 1) where it is gray or is to be, else (H, W, 3); uint8, or float32 of more bits."""
        file = self._files[index]
        try:
            with opened(file) as image:
                if not self._cut and image.mode not in DEEP_MODES and _is_cut(image):
                    self._cut = True
                    self.notes = (*self.notes, CUT)
                return pixels_of(image, self._options)
        except SampleError:  # of the user's transform
            raise
        except Exception as error:  # whatever a decoder trips over in a broken file
            raise _broken(file, error) from error

    def differs(self, indices: NDArray[np.int64]) -> bool:
        """See `Source.differs`."""
        transform = self._options.transform
        return transform is not None and transform.runs_code and drawn_twice(self.read, indices)

    def _shape(self, index: int, pixels: Samples) -> str:
        return f"{printable(self._files[index])} is {pixels.shape[1]}x{pixels.shape[0]}"


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open a folder of images; see the module's text.

    Raises:
        SampleError: there are no images, or images beside folders of images.
    """
    if not location.path.is_dir():
        raise SampleError(f"{printable(location.path)}: not a folder", "Give a folder of images.")
    files, labels, classes, empty = list_classes(location.path)
    flat = list_images(location.path, deep=False)
    if flat and files:
        raise SampleError(
            f"{printable(location.path)}: holds {printable(flat[0].name)} beside folders of images",
            "Put every image into the folder of its class, or all of them into one folder.",
        )
    if not flat and not files:
        raise SampleError(f"{printable(location.path)}: holds no images", f"Image files end in {', '.join(SUFFIXES)}.")
    if classes and not flat:
        refuse_root(location.path, _by_class(files, labels, classes))
    numbers, names = order_classes(None if flat else labels, classes, options, location.path)
    notes = (f"no label for {printable(', '.join(empty))}: no images in there",) if empty and classes else ()
    if flat and (tables := tables_in(location.path)):
        table = printable(tables[0])
        give = f" (--probe {printable(location.path / tables[0])} reads it)" if table.endswith((".csv", ".tsv")) else ""
        notes = (f"{table} beside the images is not read: they have no labels{give}",)
    images = ImageFiles(location.name, flat or files, numbers, names, options, notes=notes)
    images.alphabetical, images.empty = numbers is not None and options.classes_file is None, empty
    return images


def _by_class(files: Sequence[Path], labels: NDArray[np.int64], classes: Sequence[str]) -> dict[str, list[Path]]:
    images: dict[str, list[Path]] = {name: [] for name in classes}
    for file, label in zip(files, labels.tolist(), strict=True):
        images[classes[label]].append(file)
    return images


def list_classes(folder: Path) -> tuple[list[Path], NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    """The images of each sub-folder, at any depth in it: files, labels, class names, and the empty sub-folders."""
    _, folders, _ = next(os.walk(folder, onerror=_unlisted))
    names = sorted(name for name in folders if not name.startswith("."))
    _refuse_circles(folder, names)
    images = {name: list_images(folder / name) for name in names}
    classes = tuple(name for name in names if images[name])
    files = [file for name in classes for file in images[name]]
    labels = np.repeat(np.arange(len(classes), dtype=np.int64), [len(images[name]) for name in classes])
    return files, labels, classes, tuple(name for name in names if not images[name])


def _refuse_circles(folder: Path, names: Sequence[str]) -> None:
    """Refuse classes that are links to a folder above them: their images would be those of all classes."""
    place = folder.resolve()
    for name in names:
        if (folder / name).is_symlink() and place.is_relative_to((folder / name).resolve()):
            raise SampleError(
                f"{printable(folder / name)}: leads to {printable((folder / name).resolve())}, which it lies in",
                "Remove the link; a class may be a link to another folder.",
            )


def list_images(folder: Path, *, deep: bool = True) -> list[Path]:
    """The image files of a folder, sorted by their path's parts, so in the same order on every file system."""
    files: list[tuple[str, ...]] = []
    for parent, folders, names in os.walk(folder, onerror=_unlisted):
        folders[:] = [name for name in folders if deep and not name.startswith(".")]
        parts = Path(parent).relative_to(folder).parts
        files += [(*parts, name) for name in names if not name.startswith(".") and name.lower().endswith(SUFFIXES)]
    return [folder.joinpath(*parts) for parts in sorted(files)]


def _unlisted(error: OSError) -> NoReturn:
    # What cannot be listed must not pass for empty: it would shift the labels.
    raise SampleError(
        f"{printable(error.filename)}: cannot be listed: {what_it_says(error)}", "Make the folder readable."
    ) from error


def _mode(file: Path) -> str:
    """The mode of an image file; empty where it cannot be opened, which is told of when that file is read."""
    try:
        with opened(file) as image:
            return str(image.mode)
    except Exception:  # whatever a decoder trips over in a broken file
        return ""


def _is_cut(image: Any) -> bool:
    """Whether a picture of eight bits is one of sixteen in its file."""
    return any("16" in str(tile[3]) for tile in image.tile)


def _as_floats(pixels: Samples) -> NDArray[np.float32]:
    """Pixels as they enter a net: bytes divided by 255."""
    return pixels.astype(np.float32) / np.float32(BYTES) if pixels.dtype == np.uint8 else pixels.astype(np.float32)


def _broken(file: Path, error: Exception) -> SampleError:
    if isinstance(error, NotRegularError):
        return SampleError(f"{printable(file)}: {error.strerror}", "Replace or remove it.")
    return SampleError(
        f"{printable(file)}: not an image that can be read: {what_it_says(error)}",
        remedy_for(error, "Replace or remove the file."),
    )
