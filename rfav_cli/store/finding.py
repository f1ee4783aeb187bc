"""Stores below a folder, without being told where."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.store.opening import is_store_file
from rfav_cli.store.scan import RUN_FILE
from rfav_cli.store.schema import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.store.hdf5 import Stamp

MOST_ENTRIES = 50_000
"""Files and folders that are looked at; what is nearer to the top comes first."""

USUAL = "rfav.h5"
"""What has this name is a store, if only a damaged one."""


class Finder:
    """Looks for stores below a folder, again and again; a file is opened once as long as it stays the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._are_stores: dict[Path, tuple[Stamp, bool]] = {}

    def find(self, most: int = MOST_ENTRIES) -> tuple[list[Path], bool]:
        """The paths of all stores, packed or still a folder beside their path, and whether the search came to its end.

        Hidden files and folders are passed over, links are not followed, what cannot be read is skipped.

        Args:
            most: files and folders that are looked at.
        """
        stores: set[Path] = set()
        seen: dict[Path, tuple[Stamp, bool]] = {}
        whole, folders = True, deque([self._folder])
        while folders and whole:
            for entry in _entries(folders.popleft()):
                most -= 1
                if most < 0:
                    whole = False
                    break
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    if not path.name.endswith(".h5.d"):
                        folders.append(path)
                    elif self._is_store(path / RUN_FILE, seen):
                        stores.add(path.with_suffix(""))
                elif path.name == USUAL or (path.name.endswith(".h5") and self._is_store(path, seen)):
                    stores.add(path)
        self._are_stores = seen
        return sorted(stores), whole

    def _is_store(self, path: Path, seen: dict[Path, tuple[Stamp, bool]]) -> bool:
        try:
            status = path.lstat()
        except OSError:
            return False
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        remembered = self._are_stores.get(path)
        if not remembered or remembered[0] != stamp:
            remembered = stamp, is_store_file(path, follow=False)
        seen[path] = remembered
        return seen[path][1]


def is_store(path: Path) -> bool:
    """Whether there is a store at a path, packed or still a folder beside it."""
    return is_store_file(path) or is_store_file(folder_of(path) / RUN_FILE)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What is in a folder in the order of names, but for what is hidden and links."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not entry.name.startswith(".") and not entry.is_symlink():
                yield entry
