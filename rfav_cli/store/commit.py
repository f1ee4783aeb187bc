"""What writing into a store needs beside files that appear whole: a hold on its folder, and the store's own errors.

Whoever may write beside a store may put a link where its folder is, or where a file of it is. Nothing is written or
removed through one.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rfav_cli.errors import StoreError
from rfav_cli.files.atomic import is_full
from rfav_cli.files.locks import is_still, lock
from rfav_cli.files.regular import what_it_is
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rfav_cli.store.hdf5 import Stamp

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def refuse_link(place: Path) -> None:
    """Raise StoreError where a link lies in the place of a store's folder."""
    if os.path.islink(place):  # noqa: PTH114 - says no of a name that is too long, which others tell better
        raise StoreError(
            f"{place}: is a link, and a store's folder is none", "Remove it, or put the folder itself in its place."
        )


def refuse_special(file: Path) -> None:
    """Raise StoreError where something lies in the place of a file in a store's folder that is no regular file."""
    try:
        mode = file.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        found = "a link" if stat.S_ISLNK(mode) else what_it_is(mode)
        raise StoreError(f"{file}: is {found}, not a regular file", "Remove it.")


class Folder:
    """A store's folder that is held; files are removed from the very one, whatever takes its name meanwhile."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    def remove(self, name: str, stamp: Stamp | None = None) -> None:
        """Remove a regular file, if it is there.

        Args:
            name: of the file.
            stamp: leave another that took its name.
        """
        where = self.path / name if self._descriptor is None else name
        try:
            status = os.stat(where, dir_fd=self._descriptor, follow_symlinks=False)
            is_the_one = stamp in (None, (status.st_ino, status.st_mtime_ns, status.st_size))
            if stat.S_ISREG(status.st_mode) and is_the_one:
                os.unlink(where, dir_fd=self._descriptor)
        except FileNotFoundError:
            return


@contextmanager
def locked(folder: Path) -> Iterator[Folder | None]:
    """Hold a folder against others that call this; None where it is not there.

    The lock is on the folder itself, so it goes with it; who waited for a folder that its holder removed looks again.
    Where the system has no such locks, nothing is held.

    Raises:
        StoreError: a link lies in its place.
    """
    if sys.platform == "win32":
        refuse_link(folder)
        yield Folder(folder, None) if folder.is_dir() else None
        return
    while True:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
        except FileNotFoundError:
            yield None
            return
        except OSError:
            refuse_link(folder)
            raise
        try:
            lock(descriptor, wait=True)
            if is_still(folder, descriptor):
                yield Folder(folder, descriptor)
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
