"""Samples of a user's object as a source: as they are, but for pictures, which are read as image files are."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from rfav_cli.data.pictures import DEEP_MODES, GRAY_MODES, pixels_of
from rfav_cli.data.sources.base import (
    BYTES,
    WORDS,
    Location,
    Source,
    check_labels,
    drawn_twice,
    image_option,
    order_classes,
    read_class_file,
)
from rfav_cli.data.sources.objects.items import ALONE
from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.objects.rows import Batch, Rows

CHANNELS = (1, 3, 4)
"""Of a picture."""


class ObjectSource(Source):
    """Samples of a user's object; their labels are known once they were read.

    Args:
        rows: gives them.
        location: what they are called.
        options: the size is used here, and for pictures all options of images.
        within: what their code runs in.
        own: they come from the user's code, which may have seen to what enters the net.

    Raises:
        SampleError: an option does not fit them, or the first sample cannot be read.
    """

    mean = std = None
    is_image = False
    as_is = True

    def __init__(
        self,
        rows: Rows,
        location: Location,
        options: SampleOptions,
        within: Callable[[], AbstractContextManager[None]] = nullcontext,
        *,
        own: bool = True,
    ) -> None:
        self._own = own
        self.name, self._rows, self._options, self._within = location.name, rows, options, within
        self._where = f"{location.option} {printable(location.name)}"
        self._own_classes = rows.classes
        self._read: dict[int, Any] = {}
        self._lock = threading.Lock()
        self.labels, self.classes, self.notes = rows.labels, rows.classes, rows.notes
        if not len(rows):
            raise SampleError(f"{self._where}: no samples in it", "Give some.")
        if options.classes_file is not None and rows.classes:
            _, self.classes = order_classes(np.zeros(1, np.int64), rows.classes, options, Path(self.name))
        elif options.classes_file is not None:
            self.classes = read_class_file(options.classes_file)
        self._look_at(rows.take([0]))
        if rows.labels is None and location.most is not None and len(rows) > location.most and not rows.notes:
            self._tell(
                f"{self._where}: labels are known by reading alone, so the {location.most:,} samples were chosen by "
                "chance, and not evenly over the classes"
            )

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, indices: NDArray[np.int64]) -> Any:
        """See `Source.read`; several inputs are a dict by the name of the net's argument."""
        with self._lock, self._within():  # nobody has promised that a data set can be read by several threads
            batch = self._rows.take(indices.tolist())
            if batch.labels is not None:
                self._read |= dict(zip(indices.tolist(), batch.labels, strict=True))
        inputs = {name: self._prepared(name, values, indices) for name, values in batch.inputs.items()}
        return inputs[ALONE] if inputs.keys() == {ALONE} else inputs

    def labels_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """See `Source.labels_of`; those that the samples themselves have."""
        if not self._read:
            return None
        raw = np.stack([self._read[index] for index in indices.tolist()])
        if raw.dtype.kind in "US":
            raw = self._numbered(raw)
        labels = check_labels(raw, len(indices), Path(self.name))
        ordered, _ = order_classes(labels, self._own_classes, self._options, Path(self.name))
        return ordered

    def differs(self, indices: NDArray[np.int64]) -> bool:
        """See `Source.differs`."""
        with self._lock, self._within():
            if self._rows.differs(indices.tolist()):
                return True
        transform = self._options.transform
        return transform is not None and transform.runs_code and drawn_twice(self.read, indices)

    def _look_at(self, batch: Batch) -> None:
        """What the first sample tells: whether they are pictures, and which options fit them."""
        first = next(iter(batch.inputs.values()))
        self._pictures = pictures = len(batch.inputs) == 1 and _is_picture(first[0])
        option = "--layout" if self._options.layout else image_option(self._options)
        if pictures:
            self._begin_pictures(first[0])
        elif option in ("--resize", "--center-crop") and len(batch.inputs) == 1 and np.ndim(first[0]) == 3:
            self._tell(f"{self._where}: resized after all that it does itself")
        elif option:
            raise SampleError(
                f"{self._where}: {option} is for images that rfav reads, and these come as they enter the net",
                f"Leave {option} out, and do it in your code.",
            )
        self.is_image = pictures or (len(batch.inputs) == 1 and np.ndim(first[0]) == 3 and len(first[0]) in CHANNELS)
        if not pictures and (self._options.mean is not None or self._options.std is not None):
            self._tell(f"{self._where}: normalised by --mean and --std after all that it does itself")
        if batch.left:
            self._tell(f"{self._where}: {printable(', '.join(batch.left))} of each sample does not enter the net")
        if not pictures and any(np.asarray(values).dtype == np.uint8 for values in batch.inputs.values()):
            self._tell(f"{self._where}: its bytes are divided by 255 before they enter the net")

    def _begin_pictures(self, first: Any) -> None:
        options, transform = self._options, self._options.transform
        if options.layout:
            raise SampleError(f"{self._where}: --layout is for arrays", "Leave --layout out.")
        mode = first.mode if isinstance(first, Image.Image) else _picture(first).mode
        self._gray = options.gray or (mode in GRAY_MODES and not options.rgb)
        self.as_is, self.scale = False, None if mode == "F" else WORDS if mode in DEEP_MODES else BYTES
        if transform is None:
            self._tell(f"{self._where}: images without a transform, so their bytes are divided by 255" * self._own)
            return
        self.mean, self.std = transform.preset or (None, None)
        self.as_is = transform.preset is None
        self._tell(transform.note)

    def _prepared(self, name: str, values: Any, indices: NDArray[np.int64]) -> Any:
        if self._pictures and name == ALONE:
            return self._pixels(values, indices)
        if values.dtype == np.float32 and not np.isfinite(values).all():
            finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
            raise SampleError(
                f"{self._where}: sample {indices[finite.argmin()]} holds NaN or infinite values",
                "Remove such samples, or put the values right.",
            )
        if values.dtype == np.uint8 and values.ndim != 4:
            return values.astype(np.float32) / np.float32(BYTES)
        if self._options.geometry and values.ndim == 4:
            return np.moveaxis(self._options.geometry.of_arrays(np.moveaxis(values, 1, -1)), -1, 1)
        return values

    def _pixels(self, values: Sequence[Any], indices: NDArray[np.int64]) -> Any:
        """Pictures as (n, C, H, W)."""
        pixels: list[Any] = []
        for value, index in zip(values, indices.tolist(), strict=True):
            picture = value if isinstance(value, Image.Image) else _picture(value)
            if self._options.transform is None and picture.mode not in DEEP_MODES:
                picture = picture.convert("L" if self._gray else "RGB")
            try:
                pixels.append(pixels_of(picture, self._options))
            except ValueError as error:
                raise SampleError(f"{self._where}: sample {index}: {printable(error)}", "Give other images.") from None
            if pixels[-1].shape != pixels[0].shape:
                shapes = [f"{each.shape[1]}x{each.shape[0]}" for each in (pixels[-1], pixels[0])]
                raise SampleError(
                    f"{self._where}: sample {index} is {shapes[0]}, sample {indices[0]} {shapes[1]}",
                    "Give --resize to bring them to one size (with --center-crop it keeps their proportions).",
                )
        return np.moveaxis(np.stack(pixels), -1, 1)

    def _numbered(self, names: NDArray[Any]) -> NDArray[np.int64]:
        """Labels that are names of classes, as numbers."""
        order = self._own_classes or self.classes
        unknown = sorted(set(names.tolist()) - set(order))
        if unknown:
            raise SampleError(
                f"{self._where}: labels are text, and the number of {printable(unknown[0])} is not known",
                "Give --classes FILE, the names of the classes in the order of the net's outputs, or give numbers.",
            )
        self._own_classes = tuple(order)
        return np.asarray([order.index(name) for name in names.tolist()], dtype=np.int64)

    def _tell(self, text: str) -> None:
        self.notes = (*self.notes, *filter(None, [text]))


def _is_picture(sample: Any) -> bool:
    """Whether one sample is an image: of Pillow, or bytes with channels first or last, or without any."""
    if isinstance(sample, Image.Image):
        return True
    array = np.asarray(sample)
    if array.dtype != np.uint8 or array.ndim not in (2, 3):
        return False
    return array.ndim == 2 or array.shape[0] in CHANNELS or array.shape[-1] in CHANNELS


def _picture(sample: NDArray[np.uint8]) -> Image.Image:
    """Bytes as a picture; (C, H, W) is told before (H, W, C)."""
    if sample.ndim == 3 and sample.shape[0] in CHANNELS:
        sample = np.moveaxis(sample, 0, -1)
    if sample.ndim == 3 and sample.shape[-1] == 1:
        sample = sample[..., 0]
    return Image.fromarray(np.ascontiguousarray(sample))
