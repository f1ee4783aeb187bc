"""CIFAR-10 as published, the Python and the binary version, unpacked or as the archive; and what CIFAR-100 shares.

The folder given is the unpacked one or the one that holds it, or the one that holds the `.tar.gz`; or the `.tar.gz`
itself is given.
"""

from __future__ import annotations

import io
import pickle
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.data.sources.arrays import ArraySource
from rfav_cli.data.sources.base import Location, Preset, Source, check_labels, order_classes
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.options.values import NORMALISATIONS
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions

SPLITS = ("test", "train")
SHAPE = (3, 32, 32)


@dataclass(frozen=True)
class Published:
    """One of the two data sets, as their authors laid it out.

    Attributes:
        places: where the files may lie in the folder given: unpacked, or in an archive.
        files: split -> names of the Python version's files; the binary version's have ".bin" after them.
        names: the files that hold the classes' names, of the Python and of the binary version.
        names_key, labels_key: the keys of what is read, in the Python version.
        label_bytes: bytes before the pixels in a record of the binary version; the last of them is the label.
        preset: mean and std over all pixels of the training images, in units of 0..1.
    """

    places: tuple[str, ...]
    files: Mapping[str, tuple[str, ...]]
    names: tuple[str, str]
    names_key: bytes
    labels_key: bytes
    label_bytes: int
    preset: Preset


CIFAR10 = Published(
    places=("cifar-10-batches-py", "cifar-10-batches-bin", "cifar-10-python.tar.gz", "cifar-10-binary.tar.gz"),
    files={"test": ("test_batch",), "train": tuple(f"data_batch_{number}" for number in range(1, 6))},
    names=("batches.meta", "batches.meta.txt"),
    names_key=b"label_names",
    labels_key=b"labels",
    label_bytes=1,
    preset=NORMALISATIONS["cifar10"],
)


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open `cifar10:DIR`; see `open_published`."""
    return open_published(CIFAR10, location, options)


def open_published(published: Published, location: Location, options: SampleOptions) -> Source:
    """Read one split of CIFAR-10 or CIFAR-100.

    Raises:
        SampleError: the files are not there, or not as published.
    """
    batches, names = _find(published, location)
    parts = [_parse_batch(published, name, content, location.path) for name, content in batches.items()]
    images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    classes = tuple(name for part in names.items() for name in _parse_names(published, *part, location.path))
    if classes and labels.max() >= len(classes):
        raise SampleError(
            f"{printable(location.path)}: label {labels.max()}, but {len(classes)} classes", "Unpack it anew."
        )
    ordered, classes = order_classes(labels, classes, options, location.path)
    return ArraySource(
        location.name, images, ordered, classes, "nchw", options, where=location.path, preset=published.preset
    )


def _find(published: Published, location: Location) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The content of a split's files, all of one version, and of the file of names if there is one."""
    stems = published.files[location.split]
    versions = {published.names[0]: stems, published.names[1]: tuple(f"{stem}.bin" for stem in stems)}
    wanted = {name for names, batches in versions.items() for name in (names, *batches)}
    for place in [location.path, *(location.path / place for place in published.places)]:
        contents = _read_archive(place, wanted) if place.is_file() else _read_folder(place, wanted)
        for names, batches in versions.items():
            if all(name in contents for name in batches):
                batch_contents = {name: contents[name] for name in batches}
                return batch_contents, {name: contents[name] for name in [names] if name in contents}
    raise SampleError(
        f"{printable(location.path)}: neither {', '.join(stems)}, the same with .bin, nor any of "
        f"{', '.join(published.places)}",
        "Give the folder of the data set as its authors publish it.",
    )


def _read_folder(folder: Path, wanted: set[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in wanted if (folder / name).is_file()}


def _read_archive(path: Path, wanted: set[str]) -> dict[str, bytes]:
    contents = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                content = archive.extractfile(member) if member.isfile() and name in wanted else None
                if content is not None:
                    contents[name] = content.read()
    except Exception as error:  # whatever a damaged archive makes the decompressor raise
        raise SampleError(
            f"{printable(path)}: cannot be read: {what_it_says(error)}",
            remedy_for(error, "Download the archive anew."),
        ) from error
    return contents


def _parse_batch(
    published: Published, name: str, content: bytes, where: Path
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """One file: (n, 3, 32, 32) and (n,)."""
    pixels = int(np.prod(SHAPE))
    place = where / name
    if name.endswith(".bin"):
        records = np.frombuffer(content, dtype=np.uint8)
        if not len(records) or len(records) % (published.label_bytes + pixels):
            raise SampleError(f"{printable(place)}: {len(records)} bytes, not whole records", "Download the file anew.")
        records = records.reshape(-1, published.label_bytes + pixels)
        return records[:, -pixels:].reshape(-1, *SHAPE), records[:, published.label_bytes - 1].astype(np.int64)
    batch = _unpickle(content, place)
    images, labels = batch.get(b"data"), batch.get(published.labels_key)
    values = images.values if isinstance(images, _Array) else np.empty(0, dtype=np.uint8)
    numbers = labels if isinstance(labels, list) and all(isinstance(label, int) for label in labels) else []
    if not numbers or values.shape != (len(numbers), pixels):
        raise SampleError(
            f"{printable(place)}: no {pixels} pixels and a label for each image", "Download the file anew."
        )
    return values.reshape(-1, *SHAPE), check_labels(np.asarray(numbers), len(numbers), place)


def _parse_names(published: Published, name: str, content: bytes, where: Path) -> tuple[str, ...]:
    lines = content.split(b"\n") if name.endswith(".txt") else _unpickle(content, where / name).get(published.names_key)
    if not isinstance(lines, list) or not all(isinstance(line, bytes) for line in lines):
        raise SampleError(f"{printable(where / name)}: no names of classes", "Download the file anew.")
    return tuple(line.decode("utf-8", "replace").strip() for line in lines if line.strip())


def _unpickle(content: bytes, where: Path) -> dict[Any, Any]:
    try:
        batch = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # whatever a damaged or hostile pickle makes the unpickler raise
        raise SampleError(
            f"{printable(where)}: not as published: {what_it_says(error)}", "Download the file anew."
        ) from error
    if not isinstance(batch, dict):
        raise SampleError(f"{printable(where)}: holds no dictionary", "Download the file anew.")
    return batch


class _Array:
    """Stands in for a numpy array of bytes, so that nothing of numpy is within a pickle's reach."""

    def __init__(self, *_: object) -> None:
        self.values: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)

    def __setstate__(self, state: tuple[int, tuple[int, ...], _Type, bool, bytes]) -> None:
        _, shape, kind, fortran, data = state
        if kind.code not in ("u1", b"u1"):
            raise pickle.UnpicklingError("an array of something other than bytes")
        self.values = np.frombuffer(data, dtype=np.uint8).reshape(shape, order="F" if fortran else "C")


class _Type:
    """Stands in for a numpy type."""

    def __init__(self, code: object, *_: object) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None: ...


class _Unpickler(pickle.Unpickler):
    """Reads the containers and byte arrays that the published pickles are made of, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return _Array
        stand_ins = {"ndarray": _Array, "dtype": _Type}
        if module != "numpy" or name not in stand_ins:
            raise pickle.UnpicklingError(f"refers to {printable(f'{module}.{name}')}, which is not loaded")
        return stand_ins[name]
