"""Looks through files of any kind for what they are and hold, without opening them as what they are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.errors import RfavError
from rfav_cli.options import Scan, flat
from rfav_cli.records import ScanFinding, ScanReport
from rfav_cli.text import count, printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rfav_cli.checkpoints.listing import Exclusion
    from rfav_cli.records import ScannedFile

STORE = "rfav store"
"""What an inspection calls one."""
_MOST_FILES = 100_000
"""That one call looks through."""


@dataclass
class _Passed:
    """What is passed over.

    Attributes:
        exclusion: what the user leaves out.
        left_out: how many files and folders that is so far.
        notes: what to tell.
    """

    exclusion: Exclusion
    left_out: int = 0
    notes: list[str] = field(default_factory=list)

    def leaves_out(self, path: Path) -> bool:
        """Whether the user leaves a path out, which is counted."""
        left_out = self.exclusion.leaves_out(path)
        self.left_out += left_out
        return left_out

    def told(self) -> tuple[str, ...]:
        """All that is to be told: what was not looked through must not look as if it were clean."""
        unused = [f"--exclude {printable(glob)!r}: matches nothing" for glob in self.exclusion.unused()]
        of = ("file or folder was", "files and folders were")[self.left_out != 1]
        return (*self.notes, *([f"{self.left_out:,} {of} left out by --exclude"] if self.left_out else []), *unused)


def run(options: Scan) -> ScanReport:
    """Say what files are, what is in them and whether rfav would open them; nothing in them is made or run.

    What cannot be looked through is a finding, never an error.

    Returns:
        A file each, and `code`: 0 where nothing is flagged, 1 where something is, 2 where something could not be said.
    """
    from rfav_cli.checkpoints.listing import Exclusion

    paths = [options.paths] if isinstance(options.paths, (str, Path)) else options.paths
    passed = _Passed(Exclusion(options.exclude))
    files = [file for path in paths for file in _scanned(str(path), passed)]
    return ScanReport(tuple(files), options.flag, passed.told())


scan = flat(Scan, run)


def scanned_into(options: Scan, formats: Mapping[Path, str]) -> ScanReport:
    """Look through files as `run` does, and write what was found into files besides: all of them, or none.

    Args:
        options: of `scan`.
        formats: path -> the name of its format.

    Raises:
        OutputError: one of them can't be written.
    """
    from rfav_cli.files.outputs import Output, check_outputs, write_outputs
    from rfav_cli.render import Screen, render_scan
    from rfav_cli.render.scan_documents import mark_of

    found = {
        Output(path, "rfav scan", "choose another --output", mark_of(name), [options.paths]): name
        for path, name in formats.items()
    }
    check_outputs(found, force=options.force)
    done = run(options)
    contents = {output: [render_scan(done, name, screen=Screen()).encode()] for output, name in found.items()}
    write_outputs(contents, force=options.force)
    return done


def _scanned(text: str, passed: _Passed) -> Iterator[ScannedFile]:
    """What is at one place that the user named."""
    from rfav_cli.checkpoints.inspection import unsaid
    from rfav_cli.checkpoints.listing import is_glob, listing

    try:
        place = remote.place(text)
        named = listing(str(place)) if is_glob(str(place)) and not os.path.lexists(place) else [place]
    except RfavError as error:
        yield unsaid(text, remote.shown(error.what.removeprefix(f"{text}: ")))
        return
    if not named:
        yield unsaid(text, "matches no file")
    for path in named:
        if passed.leaves_out(path):
            continue
        if path.is_dir():
            yield from _folder(path, passed)
        else:
            yield _file(path)


def _folder(folder: Path, passed: _Passed) -> Iterator[ScannedFile]:
    """What is in a folder and below it; links to other folders are not followed."""
    from rfav_cli.checkpoints.inspection import unsaid
    from rfav_cli.checkpoints.scanned_folders import inspect_folder

    met, hidden = 0, 0
    failed: list[OSError] = []
    for where, folders, names in os.walk(folder, onerror=failed.append):
        here = Path(where)
        unseen = [name for name in folders if name.startswith(".") or (here / name).is_symlink()]
        hidden += len(unseen)
        folders[:] = sorted(name for name in folders if name not in unseen and not passed.leaves_out(here / name))
        if whole := inspect_folder(here, names, remote.shown(here)):
            yield whole
        for name in sorted(names):
            if passed.leaves_out(here / name):
                continue
            met += 1
            if met > _MOST_FILES:
                yield unsaid(remote.shown(folder), f"more than {_MOST_FILES:,} files lie below it")
                return
            yield _file(here / name)
    for error in failed:
        yield unsaid(remote.shown(error.filename or folder), f"cannot be listed: {what_it_says(error)}")
    if not met and not failed:
        yield unsaid(remote.shown(folder), "no file in it")
    if hidden:
        passed.notes.append(
            f"{printable(remote.shown(folder))}: passed over {count(hidden, 'hidden or linked folder')}"
        )


def _file(path: Path) -> ScannedFile:
    """What a file is and holds; by its ending a checkpoint is to be there, or not."""
    from rfav_cli.checkpoints.inspection import inspect, unsaid
    from rfav_cli.checkpoints.listing import SUFFIXES

    try:
        remote.bring(path)
    except RfavError as error:
        return unsaid(remote.shown(path), remote.shown(error.what))
    file = inspect(path, remote.shown(path), expected=path.suffix.lower() in SUFFIXES)
    return _verified(path, file) if file.what == STORE and file.opens else file


def _verified(path: Path, file: ScannedFile) -> ScannedFile:
    """A store of rfav, each of its values held against its checksum; one epoch of many is read with its store alone."""
    from rfav_cli import store
    from rfav_cli.errors import StoreError

    if path.parent.name.endswith(".h5.d"):
        return file
    try:
        damaged = [f"{found.name}: {found.detail}" for found in store.verify(path) if found.state == "damaged"]
    except StoreError as error:
        damaged = [error.what.removeprefix(f"{path}: ")]
    findings = tuple(ScanFinding("refused", printable(words, 500)) for words in damaged)
    return replace(file, opens=False, why_not=damaged[0], findings=(*file.findings, *findings)) if damaged else file
