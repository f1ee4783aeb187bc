"""Writes data sets as their authors publish them, byte for byte of the same layout."""

from __future__ import annotations

import gzip
import struct
import tarfile
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Batch: TypeAlias = "tuple[NDArray[np.uint8], list[int]]"
CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def text(value: bytes) -> bytes:
    """A Python 2 string: SHORT_BINSTRING or BINSTRING."""
    return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value


def python2_array(array: NDArray[np.uint8]) -> bytes:
    """What numpy 1.x under Python 2 pickles at protocol 2."""
    shape = b"".join(b"M" + struct.pack("<H", side) for side in array.shape)
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|") + b"NNNJ" + b"\xff" * 4
    dtype += b"J" + b"\xff" * 4 + b"K\x00tb"
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    return start + b"(K\x01" + shape + b"\x86" + dtype + b"\x89" + text(array.tobytes()) + b"tb"


def python2_list(items: list[bytes]) -> bytes:
    return b"](" + b"".join(items) + b"e"


def python2_batch(images: NDArray[np.uint8], labels: list[int], key: bytes = b"labels") -> bytes:
    entries = [
        (b"batch_label", text(b"testing batch 1 of 1")),
        (key, python2_list([b"K" + bytes([label]) for label in labels])),
        (b"data", python2_array(images)),
        (b"filenames", python2_list([text(b"domestic_cat_s_000907.png")])),
    ]
    return b"\x80\x02}(" + b"".join(text(name) + value for name, value in entries) + b"u."


def python2_names(key: bytes, names: tuple[str, ...]) -> bytes:
    return b"\x80\x02}(" + text(key) + python2_list([text(name.encode()) for name in names]) + b"u."


def python_cifar10(folder: Path, batches: dict[str, Batch]) -> None:
    folder.mkdir(parents=True)
    for name, batch in batches.items():
        (folder / name).write_bytes(python2_batch(*batch))
    (folder / "batches.meta").write_bytes(python2_names(b"label_names", CIFAR10_NAMES))


def binary_cifar10(folder: Path, batches: dict[str, Batch]) -> None:
    folder.mkdir(parents=True)
    for name, (images, labels) in batches.items():
        records = np.column_stack([np.asarray(labels, dtype=np.uint8), images])
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    (folder / "batches.meta.txt").write_text("\n".join(CIFAR10_NAMES) + "\n\n")


def archived(path: Path, folder: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=folder.name)


def idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(
    folder: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8], mark: str = "-", packed: bool = False
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, part in (("t10k", slice(0, 5)), ("train", slice(5, None))):
        for name, array in ((f"images{mark}idx3", images[part]), (f"labels{mark}idx1", labels[part])):
            content = gzip.compress(idx(array)) if packed else idx(array)
            (folder / f"{prefix}-{name}-ubyte{'.gz' if packed else ''}").write_bytes(content)
