"""The files of a project that are looked at: those of its own, and no more of them than can be looked at at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 4
"""Folders below the project's own that are gone down into."""
MOST = 20_000
"""Entries of folders that are looked at; a folder of images may hold more."""
PASSED_OVER = frozenset(
    {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv", "wandb", "mlruns"}
)
"""Names of folders with what is not the project's own."""
TESTS = frozenset({"test", "tests"})
"""Names of folders whose code makes no net that is trained; they may hold samples."""


def walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """A folder and those below it, with the names of their folders and files, sorted; the upper ones first.

    Hidden folders, virtual environments and links are not gone into.
    """
    looked_at = 0
    level = [folder]
    for _ in range(DEEPEST + 1):
        below: list[Path] = []
        for place in level:
            folders, files = _entries(place)
            looked_at += len(folders) + len(files)
            yield place, folders, files
            if looked_at > MOST:
                return
            below += [place / name for name in folders]
        level = below


def python_files(folder: Path) -> Iterator[Path]:
    """The Python files of a project."""
    for place, _, files in walk(folder):
        if TESTS & {*place.relative_to(folder).parts}:
            continue
        yield from (place / name for name in files if name.endswith(".py") and name != "setup.py")


def _entries(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the folders and of the files; none where the folder cannot be listed."""
    folders, files = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file():
                    files.append(entry.name)
    except OSError:
        return [], []
    own = [name for name in folders if name.lower() not in PASSED_OVER]
    return sorted(name for name in own if not Path(folder, name, "pyvenv.cfg").exists()), sorted(files)
