"""WebDataset's tar files: members of one name are a sample, `0001.jpg` and `0001.cls`. Nothing is unpacked."""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.data.declared import Account
from rfav_cli.data.numpy_files import array_of
from rfav_cli.data.pictures import opened
from rfav_cli.data.sources.objects.items import LABELS
from rfav_cli.data.sources.objects.rows import Given, ItemRows
from rfav_cli.data.sources.objects.source import ObjectSource
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.files.regular import open_regular
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source

SPLITS: tuple[str, ...] = ()
PICTURES = ("jpg", "jpeg", "png", "webp", "ppm", "pgm", "bmp", "tif", "tiff", "gif")
ARRAYS = ("npy",)
NUMBERS = ("cls", "label", "target")
"""Members that hold a label as text."""
MOST_FILES = 100_000
LONGEST_LABEL = 1 << 20
"""Bytes of a member that holds a label."""
REMEDY = "Give tar files with an image (.jpg, .png) or an array (.npy) and a label (.cls) of one name for each sample."
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


@dataclass(frozen=True)
class Member:
    """Where the content of a member lies."""

    file: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """Its content."""
        with open_regular(self.file) as file:
            file.seek(self.offset)
            return file.read(self.size)


def recognises(path: Path) -> bool:
    """Whether a path is of tar files: one, a folder of them, or a pattern, as `val-{000..015}.tar`."""
    if path.is_dir():
        entries = [entry for entry in islice(path.iterdir(), MOST_FILES) if not entry.name.startswith(".")]
        beside = [entry for entry in entries if entry.is_dir() or entry.suffix.lower() not in (".tar", ".txt", ".json")]
        return not beside and any(entry.suffix.lower() == ".tar" for entry in entries)
    return path.suffix.lower() == ".tar" and (path.is_file() or bool(_RANGE.search(path.name) or "*" in path.name))


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open `webdataset:PATH`, or a path of tar files.

    Raises:
        SampleError: there are none, one cannot be read, or they hold no samples.
    """
    samples = [sample for file in _files(location.path) for sample in _samples(file)]
    known = [sample for sample in samples if _content(sample)]
    if not known:
        kinds = sorted({kind for sample in samples[:100] for kind in sample})
        held = printable(", ".join(kinds)) or "nothing"
        raise SampleError(f"{printable(location.path)}: no samples among members of {held}", REMEDY)
    given = Given(location.name, location.option, "Replace the file, or leave that sample out.")
    labels = _all_labels(known)
    account = Account(printable(location.path))
    rows = ItemRows(lambda number: _item(known[number], account), len(known), given, labels=labels)
    return ObjectSource(rows, location, options, own=False)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.tar"))
    if path.exists():
        return [path]
    names = list(islice(_expanded(path.name), MOST_FILES))
    files = [
        file for name in names for file in (sorted(path.parent.glob(name)) if "*" in name else [path.parent / name])
    ]
    if missing := [file for file in files if not file.exists()]:
        raise SampleError(f"{printable(missing[0])}: there is no such file", "Check the path of the samples.")
    if not files:
        raise SampleError(f"{printable(path)}: no such files", "Check the path of the samples.")
    return files


def _expanded(name: str) -> Iterator[str]:
    match = _RANGE.search(name)
    if match is None:
        yield name
        return
    for number in range(int(match[1]), int(match[2]) + 1):
        yield from _expanded(f"{name[: match.start()]}{number:0{len(match[1])}d}{name[match.end() :]}")


def _samples(file: Path) -> list[dict[str, Member]]:
    """The samples of a tar file: kind of member -> where it lies."""
    samples: dict[str, dict[str, Member]] = {}
    try:
        with open_regular(file) as opened_file, tarfile.open(fileobj=opened_file, mode="r:") as archive:
            size = opened_file.seek(0, io.SEEK_END)
            for member in archive:
                folder, _, name = member.name.rpartition("/")
                key, _, kind = name.partition(".")
                if member.offset_data + member.size > size:
                    raise ValueError("cut off")
                if member.isreg() and not member.issparse() and kind and not name.startswith("."):
                    where = Member(file, member.offset_data, member.size)
                    samples.setdefault(f"{folder}/{key}", {})[kind.lower()] = where
    except Exception as error:  # whatever a damaged archive trips the reader over
        raise SampleError(
            f"{printable(file)}: cannot be read: {what_it_says(error)}",
            remedy_for(error, "Give tar files that are not compressed, or make them anew."),
        ) from error
    return list(samples.values())


def _content(sample: dict[str, Member]) -> str:
    """The kind of the member that enters the net; empty where there is none."""
    return next((kind for kind in (*PICTURES, *ARRAYS) if kind in sample), "")


def _item(sample: dict[str, Member], account: Account) -> Any:
    kind = _content(sample)
    content = sample[kind].read()
    if kind in ARRAYS:
        value: Any = array_of(content)
    else:
        with opened(content, account) as image:
            image.load()
            value = image
    label = _label(sample)
    return (value,) if label is None else (value, label)


def _label(sample: dict[str, Member]) -> int | str | None:
    for kind in (*NUMBERS, "json"):
        if kind not in sample:
            continue
        if sample[kind].size > LONGEST_LABEL:
            raise ValueError(f"a label of {sample[kind].size} bytes")
        text = sample[kind].read().decode("utf-8").strip()
        if kind != "json":
            return int(text) if text.lstrip("-").isdecimal() else text
        described = json.loads(text)
        found = next((described[name] for name in LABELS if name in described), None) if described else None
        if isinstance(found, (int, str)) and not isinstance(found, bool):
            return found
    return None


def _all_labels(samples: Sequence[dict[str, Member]]) -> Any:
    """The labels, where all of them are numbers; these are small, and so are read."""
    labels = []
    for sample in samples:
        try:
            label = _label(sample)
        except (ValueError, RecursionError, OSError):  # told where that sample is read
            return None
        if not isinstance(label, int) or not 0 <= label < 1 << 31:
            return None
        labels.append(label)
    return np.asarray(labels, dtype=np.int64)
