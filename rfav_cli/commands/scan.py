"""Looks through files of any kind for what they are and hold, without opening them as what they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.errors import RfavError
from rfav_cli.options import Scan, flat
from rfav_cli.records import ScanReport
from rfav_cli.text import count, printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.checkpoints.listing import Exclusion
    from rfav_cli.records import ScannedFile

_MOST_FILES = 100_000
"""That one call looks through."""


def run(options: Scan) -> ScanReport:
    """Say what files are, what is in them and whether rfav would open them; nothing in them is made or run.

    What cannot be looked through is a finding, never an error.

    Returns:
        A file each, and `code`: 0 where nothing is flagged, 1 where something is, 2 where something could not be said.
    """
    from rfav_cli.checkpoints.listing import Exclusion

    paths = [options.paths] if isinstance(options.paths, (str, Path)) else options.paths
    exclusion = Exclusion(options.exclude)
    files: list[ScannedFile] = []
    notes: list[str] = []
    for path in paths:
        files += _scanned(str(path), exclusion, notes)
    notes += [f"--exclude {printable(glob)!r}: matches nothing" for glob in exclusion.unused()]
    return ScanReport(tuple(files), options.fail_on, tuple(notes))


scan = flat(Scan, run)


def _scanned(text: str, exclusion: Exclusion, notes: list[str]) -> Iterator[ScannedFile]:
    """What is at one place that the user named."""
    from rfav_cli.checkpoints.inspection import unsaid
    from rfav_cli.checkpoints.listing import is_glob, listing

    try:
        place = remote.place(text)
        named = listing(str(place)) if is_glob(str(place)) and not _is_there(place) else [place]
    except RfavError as error:
        yield unsaid(text, remote.shown(error.what.removeprefix(f"{text}: ")))
        return
    named = [path for path in named if not exclusion.leaves_out(path)]
    if not named:
        yield unsaid(text, "matches no file")
    for path in named:
        if path.is_dir():
            yield from _folder(path, exclusion, notes)
        else:
            yield _file(path, expected=True)


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _folder(folder: Path, exclusion: Exclusion, notes: list[str]) -> Iterator[ScannedFile]:
    """What is in a folder and below it; links to other folders are not followed."""
    from rfav_cli.checkpoints.inspection import unsaid
    from rfav_cli.checkpoints.listing import SUFFIXES
    from rfav_cli.checkpoints.scanned_folders import inspect_folder

    met, passed = 0, 0
    failed: list[OSError] = []
    for where, folders, names in os.walk(folder, onerror=failed.append):
        here = Path(where)
        left_out = [name for name in folders if name.startswith(".") or (here / name).is_symlink()]
        passed += len(left_out)
        folders[:] = sorted(n for n in folders if n not in left_out and not exclusion.leaves_out(here / n))
        if whole := inspect_folder(here, names, remote.shown(here)):
            yield whole
        for name in sorted(names):
            if exclusion.leaves_out(here / name):
                continue
            met += 1
            if met > _MOST_FILES:
                yield unsaid(remote.shown(folder), f"more than {_MOST_FILES:,} files lie below it")
                return
            yield _file(here / name, expected=Path(name).suffix.lower() in SUFFIXES)
    for error in failed:
        yield unsaid(remote.shown(error.filename or folder), f"cannot be listed: {what_it_says(error)}")
    if not met and not failed:
        yield unsaid(remote.shown(folder), "no file in it")
    if passed:
        notes.append(f"{printable(remote.shown(folder))}: passed over {count(passed, 'hidden or linked folder')}")


def _file(path: Path, *, expected: bool) -> ScannedFile:
    from rfav_cli.checkpoints.inspection import inspect, unsaid

    try:
        remote.bring(path)
    except RfavError as error:
        return unsaid(remote.shown(path), remote.shown(error.what))
    return inspect(path, remote.shown(path), expected=expected)
