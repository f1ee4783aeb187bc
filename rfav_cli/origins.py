"""Where what an option names came from, if nobody typed it: a project's file, which may lie with a stranger's files.

Naming code is what lets it run. What a project's file names is said; it is refused where that file lies in or below a
folder that is read, since then it came with what is read.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.errors import UsageError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_GLOB = frozenset("*?[")


@dataclass
class SetByProject:
    """The options of a command that a project's file set.

    Attributes:
        file: the project's.
        options: as they are typed, "--model", and what they are set to.
        read_from: what is read of which the file is a part; empty where it is not.
        say: is told, once an option, that the file set it.
    """

    file: Path
    options: Mapping[str, str]
    read_from: str
    say: Callable[[str], None]
    _said: set[str] = field(default_factory=set)


_now: SetByProject | None = None


@contextmanager
def set_by_project(options: SetByProject | None) -> Iterator[None]:
    """For the time of a block, know which options a project's file set."""
    global _now  # and not of this thread alone: whichever asks must be told
    before, _now = _now, options
    try:
        yield
    finally:
        _now = before


def ask(option: str) -> None:
    """Ask whether what an option names may be used, before it is.

    Args:
        option: as it is typed: "--model".

    Raises:
        UsageError: a file that lies with what is read named it.
    """
    if _now is None or option not in _now.options:
        return
    typed = f"{option} {_now.options[option]}"
    if _now.read_from:
        raise UsageError(
            f"{typed}: set by {printable(_now.file)}, which lies in {printable(_now.read_from)}, so it is not followed",
            f"Where that file is your own, type {typed}.",
        )
    if option not in _now._said:
        _now._said.add(option)
        _now.say(f"note: {typed} is set by {printable(_now.file, 1000)}")


def read_with(file: Path, inputs: Iterable[str], checkpoints: Iterable[str] = ()) -> str:
    """The first of what is read that a file lies in or below, with all links followed; empty where there is none.

    Args:
        file: the project's.
        inputs: what options name: folders, `NAME:FOLDER`; all else is passed over.
        checkpoints: folders, globs, and files, which are read with the folder that they are in.
    """
    place = file.parent.resolve()
    of_inputs = ((text, _folders(text)) for text in inputs)
    of_checkpoints = ((text, _folders_of_checkpoints(Path(text))) for text in checkpoints)
    for text, folders in (*of_inputs, *of_checkpoints):
        if any(_is_within(place, folder) for folder in folders):
            return text
    return ""


def _is_within(place: Path, folder: Path) -> bool:
    try:
        return folder.is_dir() and place.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # no name of a folder
        return False


def _folders(text: str) -> Iterator[Path]:
    """The folders that a text may name."""
    for spec in (text, text.partition(":")[2]):
        for path in (spec, spec.rpartition("#")[0]):
            if path:
                yield Path(path).expanduser() if path.startswith("~/") else Path(path)


def _folders_of_checkpoints(path: Path) -> Iterator[Path]:
    """A folder itself; the one that a glob begins in; that of a file by its name, and by what that leads to."""
    yield path
    parts = path.parts
    first = next((number for number, part in enumerate(parts) if _GLOB & set(part)), None)
    if first is not None:
        yield Path(*parts[:first])
    try:
        if path.is_file():
            yield from (path.parent, path.resolve().parent)
    except (OSError, ValueError, RuntimeError):  # no name of a file
        return
