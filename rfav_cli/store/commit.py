"""What writing into a store needs beside files that appear whole: a hold on its folder, and the store's own errors."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rfav_cli.atomic import is_full
from rfav_cli.errors import StoreError
from rfav_cli.locks import is_still, lock
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold a folder against others that call this, and say whether it is there.

    The lock is on the folder itself, so it goes with it; who waited for a folder that its holder removed looks again.
    Where the system has no such locks, nothing is held.
    """
    if sys.platform == "win32":
        yield folder.is_dir()
        return
    while True:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            yield False
            return
        try:
            lock(descriptor, wait=True)
            if is_still(folder, descriptor):
                yield True
                return
        finally:
            os.close(descriptor)


@contextmanager
def writing(store: Path) -> Iterator[None]:
    """Turn what the file system refuses into an error that says what to do."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            what = f"{store}: no room left to write ({what_it_says(error)})"
            remedy = "Free some space and run the same command again: every epoch committed so far is kept."
        else:
            what = f"{store}: cannot be written ({what_it_says(error)})"
            allowed = "Make its folder writable, or choose" if isinstance(error, PermissionError) else "Choose"
            remedy = f"{allowed} another --out; every epoch committed so far is kept."
        raise StoreError(what, remedy) from error
