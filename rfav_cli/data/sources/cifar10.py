"""CIFAR-10 as published, the Python and the binary version, unpacked or as the archive; and what CIFAR-100 shares.

The folder given is the unpacked one or the one that holds it, or the one that holds the `.tar.gz`; or the `.tar.gz`
itself is given.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.checkpoints.unpickler import DataUnpickler
from rfav_cli.data.sources.arrays import ArraySource
from rfav_cli.data.sources.base import Location, Preset, Source, check_labels, order_classes
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.files.regular import open_regular
from rfav_cli.options.values import NORMALISATIONS
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions

SPLITS = ("test", "train")
SHAPE = (3, 32, 32)
LARGEST, LARGEST_ARCHIVE = 2**28, 2**29
"""Bytes of a file and of all in an archive; the published ones have 150 million and 180 million."""
ARRAYS = frozenset({"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"})
"""What makes an array in a pickle; its values are in the state that follows."""
_COMPRESSIONS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


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
    contents = {}
    for name in wanted:
        try:
            with open_regular(folder / name) as file:
                content = file.read(LARGEST + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise SampleError(
                f"{printable(folder / name)}: {what_it_says(error)}", remedy_for(error, "Unpack it anew.")
            ) from error
        if len(content) > LARGEST:
            raise SampleError(f"{printable(folder / name)}: too large for a published file", "Unpack it anew.")
        contents[name] = content
    return contents


def _read_archive(path: Path, wanted: set[str]) -> dict[str, bytes]:
    contents = {}
    try:
        with (
            open_regular(path) as file,
            _unpacked(file) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r:") as archive,
        ):
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


class _Bounded(io.RawIOBase):
    """What an archive unpacks to, as far as a published one goes, so that none is unpacked without end.

    Args:
        file: that unpacks.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._place = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """Forwards alone, which `tarfile` does."""
        return True

    def tell(self) -> int:
        """The place."""
        return self._place

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and no further than an archive goes."""
        self._allow(place)
        self._place = self._file.seek(place, whence)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes."""
        self._allow(self._place + size if size >= 0 else LARGEST_ARCHIVE + 1)
        content = self._file.read(size)
        self._place += len(content)
        return content

    def _allow(self, place: int) -> None:
        if place > LARGEST_ARCHIVE:
            raise ValueError(f"it unpacks to more than {LARGEST_ARCHIVE:,} bytes")


@contextmanager
def _unpacked(file: IO[bytes]) -> Iterator[Any]:
    """An archive without its compression."""
    magic = file.read(6)
    file.seek(0)
    opener: Any = next((kind for start, kind in _COMPRESSIONS.items() if magic.startswith(start)), None)
    if opener is None:
        yield _Bounded(file)
        return
    with opener(file) as unpacked:
        yield _Bounded(unpacked)


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
    values, labels = _bytes_of(batch.get(b"data")), batch.get(published.labels_key)
    numbers = labels if isinstance(labels, list) and all(type(label) is int for label in labels) else []
    if not numbers or values is None or values.shape != (len(numbers), pixels):
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
        batch = _Unpickler(io.BytesIO(content), _known, _no_storage, len(content)).load()
    except Exception as error:  # whatever a damaged or hostile pickle makes the unpickler raise
        raise SampleError(
            f"{printable(where)}: not as published: {what_it_says(error)}", "Download the file anew."
        ) from error
    if not isinstance(batch, dict):
        raise SampleError(f"{printable(where)}: holds no dictionary", "Download the file anew.")
    return batch


def _bytes_of(array: Any) -> NDArray[np.uint8] | None:
    """The values of an array of bytes in a pickle, by what it says of it; None for anything else."""
    state = array.state if isinstance(array, StandIn) and array.kind in ARRAYS else None
    if not isinstance(state, tuple) or len(state) != 5:
        return None
    _, shape, dtype, fortran, data = state
    is_bytes = isinstance(dtype, StandIn) and dtype.kind == "numpy.dtype" and dtype.args[:1] in (("u1",), (b"u1",))
    if not is_bytes or not isinstance(data, bytes) or not isinstance(shape, tuple):
        return None
    try:
        return np.frombuffer(data, np.uint8).reshape(shape, order="F" if fortran is True else "C")
    except (ValueError, TypeError, OverflowError):
        return None


class _Unpickler(DataUnpickler):
    """The machine that reads checkpoints as data; text of Python 2 stays the bytes that it is."""

    def _decode_string(self, value: bytes) -> Any:
        return value


def _known(module: str, name: str) -> None:
    """Nothing is made of any name, and none but those of the published pickles are passed over."""
    if f"{module}.{name}" not in (*ARRAYS, "numpy.ndarray", "numpy.dtype"):
        raise pickle.UnpicklingError(f"refers to {printable(f'{module}.{name}')}, which is not loaded")


def _no_storage(_: Any) -> None:
    raise pickle.UnpicklingError("a storage of torch's")
