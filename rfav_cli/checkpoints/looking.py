"""What lies at the places that a user names: looked into, and looked for in the one run below."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.checkpoints.contents import Contents, look_into
from rfav_cli.checkpoints.listing import (
    SUFFIXES,
    Exclusion,
    Listed,
    folders_of,
    hidden,
    is_checkpoint,
    leading_out,
    list_checkpoints,
    listing,
    outside_checkpoints,
)
from rfav_cli.checkpoints.order import epochs_from_names, is_nickname
from rfav_cli.checkpoints.roots import runs_below
from rfav_cli.checkpoints.wording import listed
from rfav_cli.errors import CheckpointError, RunError
from rfav_cli.text import count, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rfav_cli.checkpoints.formats.base import ReadOptions


@dataclass
class Looked:
    """What is at the places that the user named.

    Attributes:
        contents: of the checkpoints.
        failed: why others cannot be looked into.
        skipped: how many files beside them are none.
        whole: folders that are checkpoints themselves, with others in them.
        notes: what the user should be told of where they are.
    """

    contents: list[Contents] = field(default_factory=list)
    failed: dict[Path, CheckpointError] = field(default_factory=dict)
    skipped: int = 0
    whole: frozenset[Path] = frozenset()
    notes: list[str] = field(default_factory=list)

    @property
    def has_weights(self) -> bool:
        """Whether any of them holds weights."""
        return any(not found.other for found in self.contents)


def look_at(paths: Sequence[str], exclusion: Exclusion, options: ReadOptions) -> Looked:
    """What is at each place, or in the one run below it where nothing at it holds weights.

    Raises:
        RunError: there is nothing, or several runs lie below a folder.
    """
    whole = Looked()
    for text in paths:
        place = _look(str(remote.place(text)), exclusion, options)
        whole.contents += place.contents
        whole.failed |= place.failed
        whole.skipped += place.skipped
        whole.whole |= place.whole
        whole.notes += place.notes
    whole.contents = _once(whole.contents)
    if whole.skipped:
        whole.notes.append(
            f"skipped {count(whole.skipped, 'file')} that {'is' if whole.skipped == 1 else 'are'} no checkpoint"
        )
    whole.notes += [f"--exclude {printable(glob)!r}: matches nothing" for glob in exclusion.unused()]
    return whole


def _look(text: str, exclusion: Exclusion, options: ReadOptions) -> Looked:
    """What is at a place, or in the one run below it where nothing at it holds weights."""
    listed_there = list_checkpoints(text, exclusion)
    looked = _look_into(listed_there, options)
    if listed_there.links:
        links = listed(path.name for path in listed_there.links)
        looked.notes.append(f"passed over links that lead out of the folder, which a glob would take: {links}")
    if looked.has_weights or listed_there.paths == (Path(text),):
        return looked
    below = [
        (run, _look_into(Listed(run.paths), options))
        for folder in folders_of(text, exclusion)
        for run in runs_below(folder, exclusion, of_glob=not Path(text).is_dir())
    ]
    runs = [pair for pair in below if pair[1].has_weights] or [pair for pair in below if pair[1].failed]
    if not runs and not looked.contents and not looked.failed:
        raise RunError(
            f"{printable(text)}: no checkpoints in it", f"Name a folder with {', '.join(sorted(SUFFIXES))} files."
        )
    if not runs:
        return looked
    inside: dict[Path, list[Path]] = {run.folder: [] for run, _ in runs}
    for run, found_in in runs:
        inside[run.folder] += [found.path for found in found_in.contents if not found.other] or run.paths
    if len(inside) > 1:
        raise _several_runs(text, inside)
    folder = next(iter(inside))
    if folder != Path(text):
        looked.notes.append(f"took the checkpoints in {printable(remote.shown(folder))}")
    for _, found_in in runs:
        looked.contents += found_in.contents
        looked.failed |= found_in.failed
    return looked


def _look_into(found: Listed, options: ReadOptions) -> Looked:
    looked = Looked(skipped=found.others, whole=frozenset([found.whole] if found.whole else []))
    for path in (*found.paths, *looked.whole):
        inside = _contents_or_why(path, options)
        if isinstance(inside, CheckpointError):
            looked.failed[path] = inside
        else:
            looked.contents.append(inside)
    return looked


def _contents_or_why(path: Path, options: ReadOptions) -> Contents | CheckpointError:
    try:
        return look_into(path, options)
    except CheckpointError as error:
        return error


def paths_to_watch(text: str, exclusion: Exclusion) -> list[Path]:
    """What may come to be the checkpoints of the run at a place, or below it; nothing of it is opened.

    Raises:
        RunError: several runs lie below it, or it cannot be listed.
    """
    there = outside_checkpoints([path for path in listing(text) if not exclusion.leaves_out(path)])
    links = leading_out(Path(text), there)
    there = [path for path in there if path not in links]
    if any(_has_place(path) and is_checkpoint(path) for path in there if not hidden(path)):
        return there
    runs = [
        run
        for folder in folders_of(text, exclusion)
        for run in runs_below(folder, exclusion, of_glob=not Path(text).is_dir())
        if any(map(_has_place, run.paths))
    ]
    inside: dict[Path, list[Path]] = {}
    for run in runs:
        inside.setdefault(run.folder, []).extend(run.paths)
    if len(inside) > 1:
        raise _several_runs(text, inside)
    return [*there, *(path for paths in inside.values() for path in paths if path not in there)]


def _has_place(path: Path) -> bool:
    """Whether a name says that a checkpoint is one of a run: it has a number, or says what it is for."""
    return epochs_from_names([path]) != [None] or is_nickname(path)


def _several_runs(text: str, inside: Mapping[Path, Sequence[Path]]) -> RunError:
    """The error that names the runs below a folder, with their checkpoints, the newest to be typed."""
    newest = max(inside, key=lambda folder: max(path.stat().st_mtime for path in inside[folder]))
    shown = listed((f"{folder} ({count(len(paths), 'checkpoint')})" for folder, paths in inside.items()), 10)
    return RunError(
        f"{printable(text)}: {len(inside)} runs lie below it, and one is measured at a time: {shown}",
        f"Name one of them; the newest is {shlex.quote(printable(newest))}.",
    )


def _once(contents: Iterable[Contents]) -> list[Contents]:
    """Each file once: by its own name where there are links to it, too."""
    files: dict[Path, Contents] = {}
    for found in contents:
        place = found.path.resolve()
        if place not in files or (files[place].path.is_symlink() and not found.path.is_symlink()):
            files[place] = found
    return list(files.values())
