"""Whether a program may be among files, told in milliseconds from the names in them, without torch.

A look that misses one costs time alone: whoever is about to load it starts over in a child. What looks like a program
and is none runs in a child, and gives the same.
"""

from __future__ import annotations

import glob
import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.zips import ZIP_MAGIC
from rfav_cli.files.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TAIL = 2**20
"""Bytes at the end of an archive that are looked through; its names stand there."""
_MOST_FOLDERS = 64
_MOST_ENTRIES = 2000
"""Of a folder, or of what a glob matches, that are listed."""
_MOST_KINDS = 16
"""Of endings of files in a folder that are looked into."""
_TORCHSCRIPT = (re.compile(rb"(?:^|[/.\x00-\x1f])constants\.pkl"), re.compile(rb"(?:^|[/\x00-\x1f])code/"))
_EXPORTED = re.compile(rb"models/[^/\x00]{1,80}\.json|serialized_exported_program\.json")


def may_hold_program(places: Iterable[str | Path]) -> bool:
    """Whether a program may be among files, folders and globs; addresses are not looked at."""
    try:
        return any(may_be_program(file) for place in places for file in _files_of(str(place)))
    except (OSError, ValueError):  # a folder that cannot be listed, a name that none can have: the command says it
        return False


def may_be_program(path: Path) -> bool:
    """Whether a file has the names of a TorchScript archive or of an exported program; nothing is waited for."""
    try:
        with open_regular(path) as file:
            if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
                return False
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _TAIL, 0))
            names = file.read(_TAIL)
    except (OSError, ValueError):
        return False
    return all(name.search(names) for name in _TORCHSCRIPT) or _EXPORTED.search(names) is not None


def _files_of(place: str) -> Iterator[Path]:
    """A few of the files that a place stands for, of each kind some."""
    if os.path.isfile(place):  # noqa: PTH113 - a text may be no path at all
        yield Path(place)
    elif os.path.isdir(place):  # noqa: PTH112 - as above
        for folder, _, names in itertools.islice(os.walk(place), _MOST_FOLDERS):
            yield from _some_of([os.path.join(folder, name) for name in names[:_MOST_ENTRIES]])  # noqa: PTH118 - faster
    elif "://" not in place and set(place) & set("*?["):
        matches = list(itertools.islice(glob.iglob(place, recursive=True), _MOST_ENTRIES))  # noqa: PTH207 - as above
        yield from _some_of(matches)
        for matched in [path for path in matches if os.path.isdir(path)][:_MOST_FOLDERS]:  # noqa: PTH112 - as above
            yield from _some_of([entry.path for entry in itertools.islice(os.scandir(matched), _MOST_ENTRIES)])


def _some_of(paths: list[str]) -> Iterator[Path]:
    """The first, the last and one between of the paths with each ending."""
    kinds: dict[str, list[str]] = {}
    for path in sorted(paths):
        kinds.setdefault(os.path.splitext(path)[1].lower(), []).append(path)  # noqa: PTH122 - faster
    for files in itertools.islice(kinds.values(), _MOST_KINDS):
        yield from map(Path, dict.fromkeys((files[0], files[len(files) // 2], files[-1])))
