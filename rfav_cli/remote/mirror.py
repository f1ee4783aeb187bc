"""The places of remote files: a temporary folder that has each under its name, and the content of those being read."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from rfav_cli.errors import RfavError, RunError
from rfav_cli.remote import files
from rfav_cli.remote.addresses import PACKAGES, WEB, address_of, without_secrets
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEPT = 2**30
"""Bytes of content that may stay; beside them that of the two checkpoints that were asked for last."""
_SMALL = 2**20
"""Bytes of a file that is brought with its folder, since it may say what the others are."""
_AT_LEAST = 2


@dataclass
class _Remote:
    """A remote file that has a place here.

    Attributes:
        filesystem: of fsspec.
        file: the remote one.
        here: whether its content is in its place.
    """

    filesystem: Any
    file: files.RemoteFile
    here: bool = False

    def __post_init__(self) -> None:
        self.stamp = self.file.size, self.file.stamp


@dataclass
class _Mirror:
    """The temporary folder.

    Attributes:
        root: where it is; it is removed when the process ends.
        remotes: by the place of each.
        recent: what was asked for, a file or a folder, the latest last -> the files brought for it.
        lock: one is brought at a time.
    """

    root: Path
    remotes: dict[Path, _Remote] = field(default_factory=dict)
    recent: OrderedDict[Path, set[Path]] = field(default_factory=OrderedDict)
    lock: threading.RLock = field(default_factory=threading.RLock)


_made: list[_Mirror] = []
"""The one of this process, once it is needed."""


def place(path: str | Path) -> Path:
    """Where a path's files are opened: itself, or, for an address, places for all that it means.

    A glob stays one. Nothing is brought yet.

    Raises:
        RunError: there is no such file, it cannot be reached, or a package is missing.
    """
    address = address_of(path)
    if address is None:
        return Path(path)
    listing = files.list_files(address)
    mirror = _the_mirror()
    base = _local(mirror, files.base_of(address))
    try:
        with mirror.lock:
            if listing.is_folder:
                base.mkdir(parents=True, exist_ok=True)
            for file in listing.files:
                _add(mirror, base / file.name if file.name else base, _Remote(listing.filesystem, file))
    except OSError as error:
        raise RunError(
            f"{shown(address)}: has no place in {mirror.root} ({what_it_says(error)})",
            "TMPDIR can name another folder, with room.",
        ) from error
    return _local(mirror, address)


def bring(path: Path, others: Sequence[Path] = ()) -> None:
    """Bring what a place stands for, before it is read: a file, or of a folder the small files and those named.

    What was asked for before may go, the longest ago first. Does nothing for any other path.

    Raises:
        RunError: it cannot be reached.
    """
    if not is_place(path):
        return
    mirror = _made[0]
    with mirror.lock:
        inner = [] if path in mirror.remotes else [local for local in mirror.remotes if path in local.parents]
        small = [local for local in inner if _is_small(mirror.remotes[local])]
        wanted = {local for local in (path, *others, *small) if local in mirror.remotes}
        mirror.recent[path] = mirror.recent.pop(path, set()) | wanted
        _take_away(mirror, KEPT, _AT_LEAST)
        for local in sorted(wanted):
            _fetch(mirror, local)


def keep(path: str | Path) -> Path:
    """Where a path's files are, all brought, and kept until the process ends.

    Raises:
        RunError: there is no such file, it cannot be reached, or a package is missing.
    """
    local = place(path)
    if is_place(local):
        mirror = _made[0]
        with mirror.lock:
            for inner in mirror.remotes:
                if inner == local or local in inner.parents:
                    _fetch(mirror, inner)
    return local


def is_place(path: Path) -> bool:
    """Whether a path is the place of a remote file or folder."""
    return bool(_made) and path.is_relative_to(_made[0].root)


def shown(path: str | Path) -> str:
    """A path, or a text with paths in it, with addresses for places, and without credentials."""
    text = address_of(path) or str(path)
    for mirror in _made:
        root = str(mirror.root)
        for protocol in PACKAGES if root in text else ():
            text = text.replace(f"{root}/{protocol}/", f"{protocol}://")
    return without_secrets(text) if "://" in text else text


@contextmanager
def speaking() -> Iterator[None]:
    """Within this, errors name addresses and not the places of files; afterwards nothing stays that may go.

    Raises:
        RfavError: as it was raised, with addresses in it.
    """
    try:
        yield
    except RfavError as error:
        if not _made:
            raise
        error.what, error.remedy = shown(error.what), shown(error.remedy)
        error.args = (error.what,)
        raise
    finally:
        for mirror in _made:
            with mirror.lock:
                _take_away(mirror, 0, 0)


def _the_mirror() -> _Mirror:
    if not _made:
        root = Path(tempfile.mkdtemp(prefix="rfav-remote-"))
        atexit.register(shutil.rmtree, root, ignore_errors=True)
        _made.append(_Mirror(root))
    return _made[0]


def _local(mirror: _Mirror, address: str) -> Path:
    """The place of an address, which may have globs.

    Raises:
        RunError: the address has no name that a file here can have.
    """
    protocol, _, rest = without_secrets(address).partition("://")
    parts = [unquote(part) if protocol in WEB else part for part in rest.rstrip("/").split("/")]
    if not all(map(_is_part, parts)):  # as it is after it was decoded: "%2F" is a slash then, "%2e%2e" the folder above
        raise RunError(f"{shown(address)}: no address of a file or folder", "Give a whole one, without '..'.")
    return mirror.root.joinpath(protocol, *parts)


def _is_part(name: str) -> bool:
    """Whether a part of an address, which may be a glob, leads to no other folder."""
    return name not in ("", ".", "..") and name.isprintable() and not {"/", os.sep} & set(name)


def _add(mirror: _Mirror, local: Path, remote: _Remote) -> None:
    """Give a remote file its place.

    Raises:
        RunError: another one has it.
    """
    known = mirror.remotes.get(local)
    if known is not None and known.file.path != remote.file.path:
        raise RunError(
            f"{shown(local)}: is asked for in two ways that differ only in what is no part of a file's name",
            "Copy the files, or name them one by one.",
        )
    if known is not None and known.stamp == (remote.file.size, remote.file.stamp):
        return
    local.parent.mkdir(parents=True, exist_ok=True)
    _empty(local, remote.file.size)
    mirror.remotes[local] = remote


def _fetch(mirror: _Mirror, local: Path) -> None:
    remote = mirror.remotes[local]
    if not remote.here:
        files.download(remote.filesystem, remote.file, local, shown(local))
        remote.here = True


def _is_small(remote: _Remote) -> bool:
    """Whether a file is small; where the listing says no size, its filesystem is asked."""
    if remote.file.size is None:
        remote.file = files.with_size(remote.filesystem, remote.file, remote.file.path)
    return remote.file.size is not None and remote.file.size <= _SMALL


def _take_away(mirror: _Mirror, most: int, at_least: int) -> None:
    """Leave of what was brought the latest alone, so that it has no more bytes than may stay."""
    sizes = {local: local.stat().st_size for brought in mirror.recent.values() for local in brought}
    while len(mirror.recent) > at_least and sum(sizes.values()) > most:
        _, brought = mirror.recent.popitem(last=False)
        for local in brought.difference(*mirror.recent.values()):
            size = sizes.pop(local)
            with suppress(OSError):  # it is still mapped, on a system that does not let it go then
                _empty(local, size)
                mirror.remotes[local].here = False


def _empty(local: Path, size: int | None) -> None:
    """Put a file of a size, with nothing in it, into a place; what has the one that was there open keeps that."""
    part = local.with_name(local.name[:100] + ".part")
    with part.open("wb") as file:
        file.truncate(1 if size is None else size)
    part.replace(local)
