"""A CSV file that names image files and their labels, a sample a line; the images lie beside it or below."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.data.declared import read_text
from rfav_cli.data.sources.base import order_classes
from rfav_cli.data.sources.folder import SUFFIXES, ImageFiles
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source

SPLITS: tuple[str, ...] = ()
PATHS = (
    "path",
    "file",
    "filename",
    "file_name",
    "filepath",
    "file_path",
    "image",
    "image_path",
    "img",
    "image_id",
    "id",
)
"""What people call the column of the files."""
LABELS = ("label", "class", "target", "y", "labels", "category", "class_name", "label_name", "diagnosis", "class_id")
"""What they call that of the labels."""
LARGEST, LONGEST_LINE, MOST_ROWS = 2**27, 2**16, 2_000_000
"""Bytes of a file, characters of a line, and lines."""
REMEDY = "Give a header with 'path' and 'label', and paths from the folder of the CSV file on."


def recognises(path: Path) -> bool:
    """Whether a file is such a table, by its name."""
    return path.suffix.lower() in (".csv", ".tsv") and path.is_file()


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open `csv:FILE`, or a path that ends in .csv or .tsv.

    Raises:
        SampleError: it names no images, one that is not there or lies outside of its folder, or its columns are not
            known.
    """
    path = location.path
    rows = _rows(path)
    file, label, first = _columns(rows[0], path)
    if first >= len(rows):
        raise SampleError(f"{printable(path)}: names no images", REMEDY)
    root = path.parent.resolve()
    lines = [(number, row) for number, row in enumerate(rows, start=1) if number > first]
    places: dict[str, Path] = {}  # a file that is named again and again is looked for once
    files = []
    for number, row in lines:
        name = _cell(row, file, path, number)
        if name not in places:
            places[name] = _inside(root, name, path, number)
        files.append(places[name])
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    if label is not None:
        labels, classes = _labels([_cell(row, label, path, number) for number, row in lines])
    numbers, names = order_classes(labels, classes, options, path)
    source = ImageFiles(location.name, files, numbers, names, options)
    source.alphabetical = bool(classes) and options.classes_file is None
    return source


def _rows(path: Path) -> list[list[str]]:
    text = read_text(path, LARGEST, REMEDY, name=f"{printable(path)}: cannot be read")
    head = text[: LONGEST_LINE + 1].partition("\n")[0]
    delimiter = max("\t;,", key=head.count)
    try:
        rows = []
        for row in csv.reader(_lines(text), delimiter=delimiter):
            if any(row):
                rows.append([cell.strip() for cell in row])
            if len(rows) > MOST_ROWS:
                raise ValueError(f"more than {MOST_ROWS:,} lines")
    except (ValueError, csv.Error) as error:
        raise SampleError(
            f"{printable(path)}: cannot be read: {what_it_says(error)}", remedy_for(error, REMEDY)
        ) from error
    if not rows:
        raise SampleError(f"{printable(path)}: holds nothing", REMEDY)
    return rows


def _lines(text: str) -> Iterator[str]:
    """The lines of a text, with their ends.

    Raises:
        ValueError: one is longer than any that names an image.
    """
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"line {number} has {len(line):,} characters")
        yield line


def _columns(head: Sequence[str], path: Path) -> tuple[int, int | None, int]:
    """The columns of files and of labels, and how many lines are a header."""
    names = [name.lower() for name in head]
    file = next((names.index(name) for name in PATHS if name in names), None)
    label = next((names.index(name) for name in LABELS if name in names), None)
    if file is None and label is None:
        is_file = [_found(path.parent, cell) is not None for cell in head]
        if sum(is_file) == 1 and len(head) <= 2:  # there is no header
            return is_file.index(True), None if len(head) == 1 else 1 - is_file.index(True), 0
        if image := next((cell for cell in head if cell.lower().endswith(SUFFIXES)), ""):
            raise SampleError(
                f"{printable(path)}, line 1: {printable(image)}: there is no such file below {printable(path.parent)}",
                REMEDY,
            )
    if file is None or (label is None and len(head) > 2):
        missing = "files" if file is None else "labels"
        raise SampleError(f"{printable(path)}: no column of {missing} among {printable(', '.join(head))}", REMEDY)
    if label is None and len(head) == 2:
        label = 1 - file
    return file, label, 1


def _cell(row: Sequence[str], column: int, path: Path, number: int) -> str:
    if column >= len(row) or not row[column]:
        raise SampleError(f"{printable(path)}, line {number}: nothing in column {column + 1}", REMEDY)
    return row[column]


def _inside(root: Path, name: str, path: Path, number: int) -> Path:
    file = _found(root, name)
    where = f"{printable(path)}, line {number}: {printable(name)}"
    if file is None:
        raise SampleError(f"{where}: there is no such file below {printable(root)}", REMEDY)
    if not file.resolve().is_relative_to(root):
        raise SampleError(f"{where}: lies outside of {printable(root)}", "Put the CSV file above all of its images.")
    return file


def _found(root: Path, name: str) -> Path | None:
    """The file of a name, which may lack its suffix."""
    try:
        candidates: Iterator[Path] = (root / f"{name}{suffix}" for suffix in ("", *SUFFIXES))
        return next((file for file in candidates if file.is_file()), None)
    except (OSError, ValueError):  # no name of a file
        return None


def _labels(cells: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels that are numbers as they are; names are numbered by the alphabet."""
    if all(cell.isascii() and cell.isdecimal() and len(cell) < 10 for cell in cells):
        return np.asarray([int(cell) for cell in cells], dtype=np.int64), ()
    classes = tuple(sorted(set(cells)))
    number = {name: label for label, name in enumerate(classes)}
    return np.asarray([number[cell] for cell in cells], dtype=np.int64), classes
