"""The runs below a folder: a run's root, or a project with several, is looked through, down to a bounded depth."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.formats import is_checkpoint_folder
from rfav_cli.checkpoints.listing import SUFFIXES, hidden
from rfav_cli.checkpoints.order import is_place
from rfav_cli.errors import RunError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rfav_cli.checkpoints.listing import Exclusion

DEEPEST = 6
"""How many folders down a run may lie: lightning_logs/version_0/checkpoints is three, W&B and Hydra add some."""
MOST_ENTRIES = 100_000
"""Files and folders that are looked at; a data set of images may lie beside a run."""


@dataclass(frozen=True)
class FoundRun:
    """A run that lies below a folder.

    Attributes:
        folder: what to name to have this run alone.
        paths: what may be its checkpoints, sorted.
    """

    folder: Path
    paths: tuple[Path, ...]


def runs_below(root: Path, exclusion: Exclusion, *, of_glob: bool = False) -> list[FoundRun]:
    """The files and folders below a folder that may be checkpoints, a group a run.

    Hidden folders are skipped, as are links that lead out of the root or to where the search has been. Folders
    that are named after an epoch or step are of one run; where a glob gave the root, that may be such a folder, too.

    Raises:
        RunError: there is more below it than is looked at.
    """
    runs: dict[tuple[str, ...], list[Path]] = {}
    base = root.parent if of_glob else root
    for path in _candidates(root, exclusion):
        runs.setdefault(_run_of(path.relative_to(base)), []).append(path)
    return [FoundRun(_folder_of(base, key), tuple(sorted(paths))) for key, paths in sorted(runs.items())]


def _candidates(root: Path, exclusion: Exclusion) -> Iterator[Path]:
    """What may be a checkpoint, by its ending or as a folder."""
    inside, seen, entries = root.resolve(), {root.resolve()}, 0
    folders = [(root, 0)]
    while folders:
        folder, depth = folders.pop(0)
        for entry in _entries(folder):
            entries += 1
            if entries > MOST_ENTRIES:
                raise RunError(
                    f"{printable(root)}: has more than {MOST_ENTRIES:,} files and folders below it",
                    "Name the folder that the checkpoints are in.",
                )
            path = folder / entry.name
            if hidden(path) or exclusion.leaves_out(path.relative_to(root)) or _leads_out(entry, path, inside):
                continue
            if not path.is_dir():
                if path.suffix.lower() in SUFFIXES and path.is_file():
                    yield path
            elif is_checkpoint_folder(path):
                yield path
            elif depth < DEEPEST and path.resolve() not in seen:
                seen.add(path.resolve())
                folders.append((path, depth + 1))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder; nothing where it cannot be listed, such as another user's."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []


def _leads_out(entry: os.DirEntry[str], path: Path, inside: Path) -> bool:
    if not entry.is_symlink():
        return False
    try:
        return not path.resolve(strict=True).is_relative_to(inside)
    except (OSError, RuntimeError):  # to nothing, or in a circle
        return True


def _run_of(path: Path) -> tuple[str, ...]:
    """What is the same for all checkpoints of a run: the folders above, "#" for those that are named after an epoch."""
    return tuple("#" if is_place(part) else part for part in path.parent.parts)


def _folder_of(root: Path, key: tuple[str, ...]) -> Path:
    above = key[: key.index("#")] if "#" in key else key
    return root.joinpath(*above)
