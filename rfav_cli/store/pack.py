"""The epochs of a store's folder moved into its one file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.files.atomic import remove_abandoned, replacing
from rfav_cli.records import Derived
from rfav_cli.store.commit import locked, writing
from rfav_cli.store.doubts import write_doubts
from rfav_cli.store.hdf5 import opened
from rfav_cli.store.layout import new_dataset, new_file, write_numbers, write_texts
from rfav_cli.store.reader import open_store
from rfav_cli.store.run import write_header, write_run
from rfav_cli.store.scan import RUN_FILE, scan
from rfav_cli.store.schema import BAD_PATH, BAD_REASON, CHECKPOINT_PATH, CHECKPOINT_SHA256, EPOCH, damaged, folder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

    from rfav_cli.files.atomic import Replacement
    from rfav_cli.records import History
    from rfav_cli.store.commit import Folder
    from rfav_cli.store.scan import Row, Scan


def pack(path: Path, derive: Callable[[History], Derived] = lambda _: Derived()) -> History:
    """Put all epochs of a store into its one file and remove the folder, as far as nobody adds to it meanwhile.

    Memory does not grow with the number of epochs. Killed at any moment, it leaves every epoch readable.

    Args:
        path: of the packed file.
        derive: what is written into it beside what was measured.

    Raises:
        StoreError: there is no store, a file of it is damaged, or there is no room for another copy of it.
    """
    folder = folder_of(path)
    with locked(folder) as held:
        if held is not None:
            remove_abandoned(folder)
            remove_abandoned(path.parent)
            contents = scan(path)
            if not path.exists() or any(file.parent == folder and file.name != RUN_FILE for file in contents.stamps):
                _replace(path, contents, derive(open_store(path)))
            with writing(path):
                _remove_packed(contents, held)
    return open_store(path)


def keep_before(path: Path, epoch: int) -> None:
    """Take an epoch and all later ones out of a store; those before, at least one, are in its one file then.

    Killed at any moment, it leaves the store as it was, or without them.

    Raises:
        StoreError: there is no store, a file of it is damaged, or there is no room for another copy of it.
    """
    with locked(folder_of(path)) as held:
        contents = scan(path)
        rows = {number: row for number, row in contents.rows.items() if number < epoch}
        _replace(path, replace(contents, rows=rows), Derived())
        if held is not None:
            with writing(path):
                _remove_packed(contents, held)


def _replace(path: Path, contents: Scan, derived: Derived) -> None:
    """Write the union into a new file and put it in the place of the old one."""
    with writing(path), replacing(path) as target, new_file(target) as file:
        _write_fixed(file, contents)
        write_doubts(file, contents.doubts, derived.doubts)
        epochs = len(contents.rows)
        columns = {name: values for name, values in derived.columns.items() if len(values) == epochs}
        _write_columns(file, contents, target, columns)


def _write_fixed(file: h5py.File, contents: Scan) -> None:
    """Write all but the columns."""
    checkpoints = [row.checkpoint for row in contents.rows.values()]
    write_header(file, contents.run, contents.run_sha256)
    write_run(file, contents.run)
    write_texts(file, BAD_PATH, [bad.path for bad in contents.bad])
    write_texts(file, BAD_REASON, [bad.reason for bad in contents.bad])
    write_numbers(file, EPOCH, np.array(list(contents.rows), np.int32))
    write_texts(file, CHECKPOINT_PATH, [checkpoint.path for checkpoint in checkpoints])
    write_texts(file, CHECKPOINT_SHA256, [checkpoint.sha256 for checkpoint in checkpoints])


def _write_columns(file: h5py.File, contents: Scan, target: Replacement, derived: Mapping[str, NDArray[Any]]) -> None:
    """Copy the columns epoch by epoch, each file opened once for the epochs in a row that it has."""
    for name, values in derived.items():
        write_numbers(file, name, values)
    columns = {
        name: new_dataset(file, name, (len(contents.rows), *column_type.shape), column_type.dtype)
        for name, column_type in contents.column_types.items()
        if name not in derived
    }

    def path_of(numbered: tuple[int, Row]) -> Path:
        return numbered[1].path

    for source, rows in groupby(enumerate(contents.rows.values()), path_of):
        with opened(source, follow=source == contents.path) as part:
            for index, row in rows:
                for name, dataset in columns.items():
                    column_type = contents.column_types[name]
                    values = part.read(name, row.index) if name in part.datasets else column_type.missing
                    if values.shape != column_type.shape:
                        raise damaged(source, f"{name} has changed its shape")
                    dataset[index] = values
                    target.check()


def _remove_packed(contents: Scan, folder: Folder) -> None:
    """Remove what was packed, but not what took its name since."""
    for file, stamp in contents.stamps.items():
        if file.parent == folder.path:
            folder.remove(file.name, stamp)
    with suppress(OSError):
        folder.path.rmdir()
