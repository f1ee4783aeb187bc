"""Which paths are meant by what a user names: files, folders and globs, without what is hidden or excluded."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats import is_checkpoint_folder
from rfav_cli.checkpoints.order import is_place
from rfav_cli.errors import CheckpointError, RunError
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".pt2", ".ts", ".tar", ".pkl", ".torch"})
"""Files with these endings are taken for checkpoints whatever is in them, so that a damaged one is noticed."""


@dataclass
class Exclusion:
    """The globs of `--exclude`, and which of them has left anything out.

    Attributes:
        globs: of names, or of paths.
    """

    globs: Sequence[str] = ()
    _used: set[str] = field(default_factory=set)

    def leaves_out(self, path: Path) -> bool:
        """Whether a glob matches a path, its end, or the name of a file or folder on it."""
        names = {path.as_posix(), *path.parts, *("/".join(path.parts[-n:]) for n in range(2, len(path.parts)))}
        found = {glob for glob in self.globs if any(fnmatch(name, glob.removesuffix("/")) for name in names)}
        self._used |= found
        return bool(found)

    def unused(self) -> list[str]:
        """The globs that have left out nothing."""
        return [glob for glob in self.globs if glob not in self._used]


@dataclass(frozen=True)
class Listed:
    """The checkpoints that one path means.

    Attributes:
        paths: files, and folders that are checkpoints.
        others: how many visible files beside them are none.
        whole: the folder itself, where it is a checkpoint and others lie in it.
        links: what leads out of the folder, beside what does not; it is not followed.
    """

    paths: tuple[Path, ...]
    others: int = 0
    whole: Path | None = None
    links: tuple[Path, ...] = ()


def list_checkpoints(text: str, exclusion: Exclusion) -> Listed:
    """The checkpoints that a file, folder or glob means: in a folder those directly in it.

    Raises:
        RunError: there is no such path, a folder cannot be listed, or the glob cannot be one.
    """
    named = Path(text)
    try:
        if named.exists() and not named.is_dir():
            return Listed((named,))
    except OSError as error:  # a name that is too long
        raise RunError(f"{printable(text)}: {what_it_says(error)}", "Check the path.") from None
    listed = listing(text)
    _refuse_missing(text, listed)
    whole = named if is_checkpoint_folder(named) else None
    if whole and not any(is_place(path.name) and is_checkpoint_folder(path) for path in listed):
        return Listed((named,))
    visible = [path for path in outside_checkpoints(listed) if not path.name.startswith(".")]
    visible = [path for path in visible if not exclusion.leaves_out(path)]
    checkpoints = tuple(path for path in visible if is_checkpoint(path))
    if whole:
        of_whole = set(formats.weight_files(whole))
        checkpoints = tuple(path for path in checkpoints if path not in of_whole)
    links = leading_out(named, checkpoints)
    inside = tuple(path for path in checkpoints if path not in links)
    return Listed(inside, len(visible) - len(checkpoints), whole, links)


def leading_out(folder: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """The links that lead out of a folder; none where all of the paths do, so that they are meant, or it is a glob."""
    if not folder.is_dir():
        return ()
    root = folder.resolve()
    links = tuple(path for path in paths if path.is_symlink() and not path.resolve().is_relative_to(root))
    return links if len(links) < len(paths) else ()


def folders_of(text: str, exclusion: Exclusion) -> list[Path]:
    """The folders to look below: the one that is named, or those that a glob matches."""
    named = Path(text)
    folders = [named] if named.is_dir() else [path for path in listing(text) if path.is_dir()]
    return [path for path in folders if path == named or not (hidden(path) or exclusion.leaves_out(path))]


def listing(text: str) -> list[Path]:
    """What is in a folder or matches a glob, sorted; nothing where that is not there.

    Raises:
        RunError: the folder cannot be listed, or the glob cannot be one.
    """
    named = Path(text)
    if named.is_dir():
        try:
            return sorted(named.iterdir())
        except OSError as error:
            raise RunError(
                f"{printable(text)}: cannot be listed ({what_it_says(error)})", "Make the folder readable."
            ) from error
    if not is_glob(text):
        return []
    root = Path(named.anchor or ".")
    try:
        return sorted(root.glob(named.relative_to(named.anchor).as_posix()))
    except ValueError as error:
        raise RunError(f"{printable(text)}: {error}", "'**' stands for whole folders: 'runs/**/*.pt'.") from error


def outside_checkpoints(paths: list[Path]) -> list[Path]:
    """The files, and the folders that are checkpoints, without the files in those."""
    folders = {path for path in paths if is_checkpoint_folder(path)}
    return [path for path in paths if path in folders or (_is_file(path) and not folders.intersection(path.parents))]


def _is_file(path: Path) -> bool:
    """Whether a path is a file; a FIFO or device is one where it is named as a checkpoint, so that it is told of."""
    return path.is_file() or (path.suffix.lower() in SUFFIXES and path.exists() and not path.is_dir())


def is_checkpoint(path: Path) -> bool:
    """Whether a file is one by its ending or by what is in it, or a folder by what is in it."""
    if path.is_dir():
        return is_checkpoint_folder(path)
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        formats.format_of(path)
    except CheckpointError:
        return False
    return True


def hidden(path: Path) -> bool:
    """Whether a name begins with a dot."""
    return path.name.startswith(".")


def is_glob(text: str) -> bool:
    """Whether a text has what stands for other characters."""
    return bool(set(text) & set("*?["))


def _refuse_missing(text: str, listed: list[Path]) -> None:
    if listed or Path(text).is_dir():
        return
    if is_glob(text):
        raise RunError(f"{printable(text)}: matches no file", "Check the glob; '**' goes down into folders.")
    raise RunError(f"{printable(text)}: no such file or folder", "Check the path; a glob needs quotes.")
