"""Tiny ImageNet as published: `train/<wnid>/images/*.JPEG`, and `val/images/*.JPEG` with `val/val_annotations.txt`.

The published test images have no labels; the held-out split is `val`. Labels number the WordNet ids in the order of the
alphabet, as a folder of folders would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.data.declared import read_text
from rfav_cli.data.sources.base import Location, Source, order_classes
from rfav_cli.data.sources.folder import ImageFiles, list_classes
from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions

SPLITS = ("val", "train")
LARGEST = 2**26
"""Bytes of a file of names; the published ones have less than a megabyte."""
REMEDY = "Unpack the data set anew."
PRESET = ((0.4802, 0.4481, 0.3975), (0.2770, 0.2691, 0.2821))
"""Mean and std over all pixels of the training images, in units of 0..1."""


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open `tiny-imagenet:DIR`, DIR being the folder `tiny-imagenet-200` or the one that holds it.

    Raises:
        SampleError: the files are not there, or not as published.
    """
    nested = location.path / "tiny-imagenet-200"
    root = nested if nested.is_dir() else location.path
    if location.split == "train":
        files, labels, classes = _train(root)
    else:
        files, labels, classes = _validation(root)
    ordered, names = order_classes(labels, classes, options, location.path)
    return ImageFiles(location.name, files, ordered, names, options, preset=PRESET, coloured=True)


def _train(root: Path) -> tuple[list[Path], NDArray[np.int64], tuple[str, ...]]:
    folder = root / "train"
    files, labels, classes, _ = list_classes(folder) if folder.is_dir() else ([], np.empty(0, np.int64), (), ())
    if not files:
        raise SampleError(f"{printable(root)}: no train/<wnid>/images/*.JPEG", "Give the folder tiny-imagenet-200.")
    return files, labels, classes


def _validation(root: Path) -> tuple[list[Path], NDArray[np.int64], tuple[str, ...]]:
    annotations = root / "val" / "val_annotations.txt"
    if not annotations.is_file():
        raise SampleError(
            f"{printable(root)}: no val/val_annotations.txt",
            "Give the folder tiny-imagenet-200; where val/ is sorted into a folder a class, give that folder alone.",
        )
    rows = sorted(_rows(annotations))
    wnids = root / "wnids.txt"
    listed = read_text(wnids, LARGEST, REMEDY).split() if wnids.is_file() else []
    classes = tuple(sorted({*listed, *(wnid for _, wnid in rows)}))
    number = {wnid: label for label, wnid in enumerate(classes)}
    files = [root / "val" / "images" / name for name, _ in rows]
    return files, np.asarray([number[wnid] for _, wnid in rows], dtype=np.int64), classes


def _rows(annotations: Path) -> list[tuple[str, str]]:
    """File name and WordNet id of each image; the box that follows in a line is not needed."""
    rows = []
    for number, line in enumerate(read_text(annotations, LARGEST, REMEDY).splitlines(), start=1):
        fields = line.split("\t")
        # The file may name images in its own folder only.
        if len(fields) < 2 or any(mark in fields[0] for mark in ("/", "\\", ":", "\0")) or fields[0] in ("", ".", ".."):
            raise SampleError(
                f"{printable(annotations)}, line {number}: no file name and WordNet id", "Unpack it anew."
            )
        rows.append((fields[0], fields[1]))
    if not rows:
        raise SampleError(f"{printable(annotations)}: lists no images", "Unpack the data set anew.")
    return rows
