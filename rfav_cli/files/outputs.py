"""The files that commands are asked for: what may be replaced, which is one rule for all of them.

A file that is there is replaced where its content says that the same command wrote it: its mark. `--force` replaces
others. A store, a folder and what the command reads are never replaced.
"""

from __future__ import annotations

import glob
import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rfav_cli.errors import OutputError
from rfav_cli.files.atomic import is_stream, write_whole
from rfav_cli.files.hdf5 import is_hdf5
from rfav_cli.files.regular import open_regular, what_it_is
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

LARGEST = 64 << 20
"""Bytes of a document that is read whole to find its mark; ours are far smaller."""


@dataclass(frozen=True, eq=False)
class Output:
    """A file that a command is asked for.

    Attributes:
        path: where to.
        command: what writes it, such as "rfav report".
        instead: what to do in place of it, such as "choose another --out".
        is_ours: whether the content of a file, which it may read as far as it likes, says that this command wrote it.
        reads: what the command reads, as its options name it, which is not written over; what is no path counts for
            nothing.
    """

    path: Path
    command: str
    instead: str
    is_ours: Callable[[IO[bytes]], bool]
    reads: Sequence[object] = ()


def check_outputs(outputs: Iterable[Output], *, force: bool = False) -> None:
    """Find out, before any work, whether files may be written.

    Args:
        outputs: the files.
        force: replace what is there, too.

    Raises:
        OutputError: a file may not be replaced, two are to be the same one, or there is no folder for one.
    """
    places: set[Path] = set()
    for output in outputs:
        _check(output, force=force)
        if not is_stream(output.path):
            place = Path(os.path.realpath(output.path))
            if place in places:
                raise OutputError(f"{output.path}: two outputs are to be this file", "Name a file for each.")
            places.add(place)


def write_outputs(contents: Mapping[Output, Iterable[bytes]], *, force: bool = False) -> None:
    """Write files that a command is asked for: all of them, or none.

    Args:
        contents: output -> its bytes in pieces.
        force: as for `check_outputs`.

    Raises:
        OutputError: as of `check_outputs`, or one can't be written; what was there stays as it is.
    """
    check_outputs(contents, force=force)
    try:
        write_whole({output.path: pieces for output, pieces in contents.items()})
    except OSError as error:
        instead = next((output.instead for output in contents if str(output.path) == error.filename), "")
        raise OutputError(
            f"{error.filename}: cannot be written ({what_it_says(error)})",
            f"Make its folder writable or free some space, or {instead}.",
        ) from None


def json_document(file: IO[bytes]) -> Any:
    """The JSON that a file holds, or None where it holds none or is too large to be one of ours."""
    data = file.read(LARGEST + 1)
    with suppress(ValueError, RecursionError):
        return json.loads(data) if len(data) <= LARGEST else None
    return None


def _check(output: Output, *, force: bool) -> None:
    if is_stream(output.path):
        return
    try:
        problem = _problem_of_place(output)
        if not problem and os.path.lexists(output.path):
            problem = _problem_of_content(output, force=force)
    except OSError as error:  # too long a name, a folder that may not be looked into
        problem = f"cannot be written ({what_it_says(error)})", f"{_first_upper(output.instead)}."
    if problem:
        raise OutputError(f"{output.path}: {problem[0]}", problem[1])


def _problem_of_place(output: Output) -> tuple[str, str] | None:
    """What is wrong with a place whatever a file there holds, and what to do; None where nothing is."""
    path, instead = output.path, _first_upper(output.instead)
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}", f"Make it first, or {output.instead}."
    real = os.path.realpath(path)
    if any(os.path.realpath(place) == real for place in _places(output.reads)):  # a store may not have its file yet
        return f"`{output.command}` reads it, so it stays as it is", f"{instead}."
    if not path.exists():
        return None
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return "is a folder", "Give the name of a file."
    if not stat.S_ISREG(mode):
        return f"is {what_it_is(mode)}, not a file that can be replaced", f"{instead}."
    if any(path.samefile(place) for place in _places(output.reads) if place.exists()):
        return f"`{output.command}` reads it, so it stays as it is", f"{instead}."
    return None


def _problem_of_content(output: Output, *, force: bool) -> tuple[str, str] | None:
    """Why what is there is not replaced, and what to do; None where it is."""
    path, instead = output.path, _first_upper(output.instead)
    if path.exists():  # a link may lead nowhere
        with open_regular(path) as file:
            if is_hdf5(file):
                return "is a store, so it stays as it is", f"{instead}."
            file.seek(0)
            if output.is_ours(file):
                return None
    read = (place for place in _places(output.reads) if place.is_dir())
    if any(place.resolve() in Path(os.path.realpath(path)).parents for place in read):
        return f"lies in what `{output.command}` reads, so it stays as it is", f"{instead}."
    if force:
        return None
    return (
        f"was not written by `{output.command}`, so it stays as it is",
        f"{instead}, or give --force to replace it.",
    )


def _first_upper(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _places(reads: Iterable[object]) -> Iterator[Path]:
    """What may be files and folders among what options name: as it is, NAME:PATH, path/to/file.py:NAME, or a glob."""
    for given in reads:
        if isinstance(given, (list, tuple)):
            yield from _places(given)
        if not isinstance(given, (str, Path)) or not str(given):
            continue
        text = str(given)
        for name in {text, text.partition(":")[2], text.rpartition(":")[0]} - {""}:
            with suppress(OSError, ValueError):  # what is no path
                yield Path(name)
                if glob.has_magic(name):
                    yield from map(Path, glob.iglob(name, recursive=True))  # noqa: PTH207 - its own way with absolute ones
