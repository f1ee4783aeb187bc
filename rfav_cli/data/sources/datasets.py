"""A data set that Hugging Face's `datasets` saved to disk, or Parquet files; read by pyarrow, so nothing of it runs."""

from __future__ import annotations

import importlib
import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.data.declared import Account, read_text, refuse_swelling
from rfav_cli.data.pictures import opened
from rfav_cli.data.roots import role
from rfav_cli.data.sources.objects.items import LABELS
from rfav_cli.data.sources.objects.rows import Given, ItemRows
from rfav_cli.data.sources.objects.source import ObjectSource
from rfav_cli.errors import SampleError, remedy_for
from rfav_cli.files.regular import open_regular
from rfav_cli.text import named, printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source

SPLITS = ("validation", "test", "train")
STATE, INFO, SETS = "state.json", "dataset_info.json", "dataset_dict.json"
LARGEST_JSON = 2**26
"""Bytes of a file that describes a data set."""
FEW = 20
"""Sub-folders that are looked into for Parquet files."""
REMEDY = "Give a folder that save_to_disk wrote, or Parquet files."
LABEL_COLUMNS = (*LABELS, "fine_label")
ROLES = {"validation": "validation", "test": "test", "train": "training"}
"""A split -> what folders and files of it are named for; see `roots.role`."""


def recognises(path: Path) -> bool:
    """Whether a path is of such a data set: by the files that describe it, or by the names of Parquet files."""
    if path.is_dir():
        if (path / STATE).is_file() or (path / SETS).is_file():
            return True
        folders = [path, *islice((inner for inner in path.iterdir() if inner.is_dir()), FEW)]
        return any(next(folder.glob("*.parquet"), None) for folder in folders)
    return path.suffix.lower() in (".parquet", ".arrow") and path.is_file()


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open `datasets:PATH`, or a path of such a data set.

    Raises:
        SampleError: pyarrow is not installed, there is no such split, or the files cannot be read.
    """
    path, said = location.path, "#" in location.name
    files, described = _files(path, location.split, said=said)
    try:
        parts = [_part(file) for file in files]
        columns = parts[0].columns
    except ImportError as error:
        raise SampleError(
            f"{printable(path)}: importing pyarrow raised {named(error, part='all')}",
            "pip install 'rfav-cli[datasets]'",
        ) from error
    except Exception as error:  # whatever a reader trips over in a damaged file
        raise SampleError(
            f"{printable(path)}: cannot be read: {what_it_says(error)}", remedy_for(error, REMEDY)
        ) from error
    table = Table(parts, path if path.is_dir() else path.parent)
    features = described or parts[0].features()
    label = next((name for name in LABEL_COLUMNS if name in columns), None)
    names = features.get(label, {}).get("names") if label else None
    classes = tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()
    rows = ItemRows(
        table.item,
        len(table),
        Given(location.name, location.option, "Replace the file, or leave that sample out."),
        labels=None if label is None else _whole(table.column(label)),
        classes=classes if len(set(classes)) == len(classes) else (),
    )
    source = ObjectSource(rows, location, options, own=False)
    if path.is_dir() and not said and (split := _split_of(files[0], path)):
        source.notes = (*source.notes, f"{printable(path)}: the {split} split was taken")
    return source


def _files(path: Path, split: str, *, said: bool) -> tuple[list[Path], dict[str, Any]]:
    """The files of a split, and what is known of their columns."""
    if path.is_file():
        return [path], {}
    if (path / SETS).is_file():
        splits = [name for name in _json(path / SETS).get("splits", []) if isinstance(name, str)]
        inside = [name for name in splits if "/" not in name and "\\" not in name and name not in ("", ".", "..")]
        return _files(path / _chosen(split, inside, path, said=said), "", said=True)
    if (path / STATE).is_file():
        state, info = _json(path / STATE), _json(path / INFO) if (path / INFO).is_file() else {}
        if state.get("_indices_files") or state.get("_indices_data_files"):
            raise SampleError(f"{printable(path)}: chooses rows of its files", "Save it anew with save_to_disk.")
        listed = state.get("_data_files")
        names = (
            [entry.get("filename") for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        )
        files = [path / name for name in names if isinstance(name, str) and Path(name).name == name]
        if not files or len(files) != len(names) or any(file.resolve().parent != path.resolve() for file in files):
            raise SampleError(f"{printable(path / STATE)}: names no files of its own folder", REMEDY)
        features = info.get("features")
        return files, features if isinstance(features, dict) else {}
    return _parquets(path, split, said=said), {}


def _parquets(path: Path, split: str, *, said: bool) -> list[Path]:
    """The Parquet files of a split, by the names of files (`test-00000-of-00001.parquet`) or of their folders."""
    files = sorted(path.rglob("*.parquet"))
    parts: dict[str, list[Path]] = {}
    for file in files:
        parts.setdefault(_split_of(file, path), []).append(file)
    if not files:
        raise SampleError(f"{printable(path)}: holds no data set", REMEDY)
    known = [name for name, wanted in ROLES.items() if wanted in parts]
    return parts[ROLES[_chosen(split, known, path, said=said)]] if known else files


def _split_of(file: Path, folder: Path) -> str:
    """What a file is for by its name or its folders', a key of `ROLES`; empty where these say none."""
    words = [file.stem.partition("-")[0], *file.relative_to(folder).parts[:-1]]
    return next((role(word) for word in words if role(word)), "")


def _chosen(split: str, there: Sequence[str], path: Path, *, said: bool) -> str:
    """The split that is asked for, or one of held-out samples."""
    if split in there:
        return split
    held_out = [name for name in there if role(name) in ("validation", "test")]
    if said or not held_out:
        listed = printable(", ".join(there)) or "none"
        raise SampleError(
            f"{printable(path)}: no split {printable(split)}; there are {listed}",
            "Give datasets:PATH#SPLIT, or the folder of a split.",
        )
    return held_out[0]


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(file, LARGEST_JSON, REMEDY))
    except (ValueError, RecursionError) as error:
        raise SampleError(f"{printable(file)}: {what_it_says(error)}", REMEDY) from None
    return content if isinstance(content, dict) else {}


class ArrowPart:
    """A file of Arrow's streaming format, of which a batch of rows is read at once and kept for the next.

    It is not mapped: a file that is cut while it is mapped ends the process.
    """

    def __init__(self, file: Path) -> None:
        open_regular(file).close()
        self._arrow: Any = importlib.import_module("pyarrow")
        self._opened = self._arrow.OSFile(str(file))
        self._schema = self._arrow.ipc.read_schema(self._opened)
        self.columns: list[str] = self._schema.names
        self._places, counts = [], []
        while (place := self._opened.tell()) < self._opened.size():
            try:
                counts.append(self._batch_at(place).num_rows)
            except EOFError:  # the mark of the end
                break
            self._places.append(place)
        self._ends = np.cumsum(counts)
        self._group = -1

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def features(self) -> dict[str, Any]:
        """What `datasets` says of the columns."""
        return _features(self._schema.metadata)

    def column(self, name: str) -> list[Any]:
        """All values of a column."""
        values = (self._batch_at(place).column(self.columns.index(name)).to_pylist() for place in self._places)
        return [value for part in values for value in part]

    def row(self, number: int) -> dict[str, Any]:
        """A row by the names of its columns."""
        group = int(np.searchsorted(self._ends, number, side="right"))
        if group != self._group:
            self._table, self._group = self._read(group), group
        first = int(self._ends[group - 1]) if group else 0
        rows: list[dict[str, Any]] = self._table.slice(number - first, 1).to_pylist()
        return rows[0]

    def _read(self, group: int) -> Any:
        return self._batch_at(self._places[group])

    def _batch_at(self, place: int) -> Any:
        self._opened.seek(place)
        return self._arrow.ipc.read_record_batch(self._arrow.ipc.read_message(self._opened), self._schema)


class ParquetPart(ArrowPart):
    """A Parquet file, of which a group of rows is read at once and kept for the next."""

    def __init__(self, file: Path) -> None:
        open_regular(file).close()
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._file = parquet.ParquetFile(str(file))
        self.columns = self._file.schema_arrow.names
        counts = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._ends = np.cumsum(counts)
        self._group = -1
        size = file.stat().st_size
        refuse_swelling(printable(file), 0, size, len(self))
        for group in range(self._file.num_row_groups):
            described = self._file.metadata.row_group(group)
            stored = sum(described.column(c).total_compressed_size for c in range(described.num_columns))
            refuse_swelling(printable(file), described.total_byte_size, min(stored, size), described.num_rows)

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def features(self) -> dict[str, Any]:
        """See `ArrowPart`."""
        return _features(self._file.schema_arrow.metadata)

    def column(self, name: str) -> list[Any]:
        """See `ArrowPart`."""
        values: list[Any] = self._file.read(columns=[name]).column(name).to_pylist()
        return values

    def _read(self, group: int) -> Any:
        return self._file.read_row_group(group)


def _part(file: Path) -> ArrowPart:
    return ParquetPart(file) if file.suffix.lower() == ".parquet" else ArrowPart(file)


def _features(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    try:
        described = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return described if isinstance(described, dict) else {}


class Table:
    """Rows of several files.

    Args:
        parts: the files.
        root: the folder that images which lie in files of their own must lie in.
    """

    def __init__(self, parts: Sequence[ArrowPart], root: Path) -> None:
        self._parts, self._root = parts, root.resolve()
        self._account = Account(printable(root))
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def column(self, name: str) -> list[Any]:
        """All values of a column."""
        return [value for part in self._parts for value in part.column(name)]

    def item(self, number: int) -> dict[str, Any]:
        """A row, its images decoded."""
        place = int(np.searchsorted(self._ends, number, side="right"))
        row = self._parts[place].row(number - (int(self._ends[place - 1]) if place else 0))
        return {name: self._decoded(value) for name, value in row.items()}

    def _decoded(self, value: Any) -> Any:
        content = value
        if isinstance(value, dict) and value.keys() == {"bytes", "path"}:
            content = value["bytes"]
            if content is None and isinstance(value["path"], str):
                content = self._read(value["path"])
        if not isinstance(content, bytes):
            return value
        with opened(content, self._account) as image:
            image.load()
            return image

    def _read(self, name: str) -> bytes:
        """An image that lies in a file of its own."""
        file = (self._root / name).resolve()
        if not file.is_relative_to(self._root):
            raise SampleError(
                f"{printable(self._root)}: names an image outside of it, {printable(name)}",
                "Save the data set with its images in it.",
            )
        with open_regular(file) as opened_file:
            return opened_file.read()


def _whole(values: Sequence[Any]) -> NDArray[np.int64] | None:
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return np.asarray(values, dtype=np.int64)
    return None
