"""Whether a store is as it was written: every file of it is opened, and every value read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.errors import StoreError
from rfav_cli.records import Finding
from rfav_cli.store.hdf5 import opened
from rfav_cli.store.reader import held_open, open_store
from rfav_cli.store.scan import RUN_FILE, listing
from rfav_cli.store.schema import folder_of
from rfav_cli.text import count, span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rfav_cli.records import History
    from rfav_cli.store.hdf5 import StoreFile

_AT_ONCE = 1 << 24
"""Bytes of a dataset that are read at once."""
_MOST_LINES = 4
"""Files of a store's folder that are told one by one where they are whole."""
_FOLDER = ".h5.d"


def names_store(place: Path) -> bool:
    """Whether a place is that of a store, or of its folder, and not a folder in which one may be written."""
    if place.is_dir():
        return place.name.endswith(_FOLDER)
    return place.name.endswith((_FOLDER, ".h5")) or place.exists() or folder_of(place).exists()


def verify(place: Path) -> tuple[Finding, ...]:
    """Look at a store, whether it is packed, a folder, or both; it may be written meanwhile.

    Args:
        place: of the packed file, or of the folder beside it.

    Returns:
        What was found of each file, and of the figures that all of them give; "damaged" is what is wrong.

    Raises:
        StoreError: there is none, or its folder cannot be read.
    """
    path = place.with_suffix("") if place.name.endswith(_FOLDER) else place
    files = [path, folder_of(path) / RUN_FILE, *listing(path)]
    found = [finding for file in files if (finding := _of_file(file, follow=file == path))]
    if not found:
        raise StoreError(f"{path}: there is no such store", "Make it with `rfav analyze`.")
    is_whole = all(finding.state != "damaged" for finding in found)
    return (*_gathered(found, path), _of_figures(path, is_whole=is_whole))


def _gathered(found: list[Finding], path: Path) -> Iterator[Finding]:
    """One line for the whole ones in the folder, where there are many, and one for each other file."""
    whole = [finding for finding in found if finding.state == "ok" and finding.name != path.name]
    many = len(whole) > _MOST_LINES
    yield from (finding for finding in found if finding not in whole or not many)
    if many:
        yield Finding(folder_of(path).name, "ok", f"{count(len(whole), 'file')} in it; every checksum is right")


def _of_file(path: Path, *, follow: bool) -> Finding | None:
    """What is right or wrong with one file; None where it is not there."""
    try:
        with opened(path, follow=follow) as file:
            size = sum(map(_read, _parts(file)))
            unchecked = [name for name in file.datasets if not file.is_checked(name)]
            number = count(len(file.datasets), "dataset")
    except FileNotFoundError:
        return None
    except StoreError as error:
        return Finding(path.name, "damaged", f"{error.what.removeprefix(f'{path}: ')}. {error.remedy}")
    read = f"{number}, {size:,} bytes of values, all of them read"
    if not unchecked:
        return Finding(path.name, "ok", f"{read}; every checksum is right")
    lack = f"{count(len(unchecked), 'dataset')} without a checksum, in which a changed bit may go unnoticed"
    return Finding(path.name, "warning", f"{read}; {lack}. Analyze again to have them.")


def _parts(file: StoreFile) -> Iterator[tuple[StoreFile, str, Any]]:
    """Every dataset of a file, in parts of a few megabytes where it has numbers."""
    for name, dataset in file.datasets.items():
        if dataset.dtype.kind == "S" or not dataset.shape:
            yield file, name, ...
            continue
        row = max(1, dataset.nbytes // max(1, dataset.shape[0]))
        step = max(1, _AT_ONCE // row)
        for start in range(0, dataset.shape[0], step):
            yield file, name, slice(start, start + step)


def _read(part: tuple[StoreFile, str, Any]) -> int:
    """Read a part, and say how many bytes it has."""
    file, name, index = part
    if file.datasets[name].dtype.kind == "S":
        file.texts(name)
        return file.datasets[name].nbytes
    return file.read(name, index).nbytes


def _of_figures(path: Path, *, is_whole: bool) -> Finding:
    """Whether the files make one run, and each figure is one that can be."""
    try:
        history = open_store(path)
        with held_open():
            for column in history.columns.values():
                for row in range(len(history)):
                    column[row]
    except StoreError as error:
        if not is_whole:
            return Finding("figures", "missing", "a file is damaged, so they were not looked at")
        return Finding("figures", "damaged", f"{error.what}. {error.remedy}")
    return Finding("figures", "ok", _counted(history))


def _counted(history: History) -> str:
    """What a history has, in numbers."""
    epochs = history.epochs.tolist()
    which = f" ({span(epochs)})" if epochs else ""
    parts = (
        f"{count(len(epochs), history.unit)}{which}",
        count(len(history.run.layers), "layer"),
        count(len(history.columns), "column"),
    )
    return f"{', '.join(parts)}; every figure is one that can be"
