"""Lists, reads and writes remote files through fsspec. What a server says is data: names, sizes and bytes alike."""

from __future__ import annotations

import os
import shutil
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from rfav_cli.errors import RfavError, RunError
from rfav_cli.remote.addresses import PACKAGES, WEB, protocol_of, without_secrets
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_FILES = 20_000
"""That are listed below a folder."""
_DEEPEST = 4
"""Folders in one another that are looked into."""
_BYTES_AT_ONCE = 2**20
_LEFT = 2**26
"""Bytes of the disk that stay free."""
_LONGEST = 200
_GLOB = frozenset("*?[")
_STAMPS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "updated", "created")
"""What the filesystems of fsspec call that which changes with a file, the surest first."""


@dataclass(frozen=True)
class RemoteFile:
    """A remote file.

    Attributes:
        name: where it lies below what was listed, with "/"; empty for that itself.
        path: as its filesystem names it.
        size: in bytes, as far as that was said.
        stamp: what its filesystem says that changes with it; empty where it says nothing of the kind.
    """

    name: str
    path: str
    size: int | None
    stamp: str = ""


@dataclass(frozen=True)
class Listing:
    """What an address means.

    Attributes:
        filesystem: of fsspec.
        base: the path that the names of the files are below.
        files: what is there.
        is_folder: whether the address is that of a folder.
    """

    filesystem: Any
    base: str
    files: tuple[RemoteFile, ...]
    is_folder: bool


def base_of(address: str) -> str:
    """The part of an address that has no glob in it: itself, or the folder before the first glob."""
    protocol, _, rest = address.partition("://")
    special = _GLOB - {"?"} if protocol in WEB else _GLOB
    parts = rest.split("/")
    plain = next((number for number, part in enumerate(parts) if special & set(part)), len(parts))
    return f"{protocol}://{'/'.join(parts[:plain])}"


def list_files(address: str) -> Listing:
    """The file, the files below the folder, or those that the glob matches and those below the folders it matches.

    Raises:
        RunError: there is no such file, it cannot be reached, or a package is missing.
    """
    base = base_of(address)
    with _told(address):
        filesystem, path = _open(base)
        if base != address:
            _, pattern = _open(address)
            found = filesystem.glob(pattern, detail=True)
            root = path.rstrip("/") + "/"
            files: list[RemoteFile] = []
            for entry in (_entry(filesystem, name, info) for name, info in found.items()):
                files += _below(filesystem, entry, root, address)
            return Listing(filesystem, path, tuple(files), True)
        info = {**filesystem.info(path)}
        if _is_folder(filesystem, path, info):
            root = path.rstrip("/") + "/"
            return Listing(filesystem, path, tuple(_below(filesystem, {"name": path}, root, address)), True)
        return Listing(filesystem, path, (_file("", path, info),), False)


def download(filesystem: Any, file: RemoteFile, target: Path, address: str) -> None:
    """Bring a file here, whole or not at all.

    Raises:
        RunError: it cannot be reached, is longer than was said, or than there is room for.
    """
    part = target.with_name(target.name[:100] + ".part")
    try:
        with _told(address), filesystem.open(file.path, "rb") as source, part.open("wb") as sink:
            count = 0
            while piece := source.read(_BYTES_AT_ONCE):
                count += len(piece)
                if file.size is not None and count > file.size:
                    raise RunError(f"{without_secrets(address)}: changes while it is read", "Try again.")
                if shutil.disk_usage(target.parent).free < _LEFT + len(piece):
                    raise RunError(
                        f"{without_secrets(address)}: too little room on the disk for a copy of it",
                        "TMPDIR can name another folder, with room.",
                    )
                sink.write(piece)
            if file.size is not None and count < file.size:
                raise RunError(f"{without_secrets(address)}: ended after {count} of {file.size} bytes", "Try again.")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def upload(source: Path, address: str) -> None:
    """Write a file there.

    Raises:
        RunError: it cannot be written.
    """
    with _told(address, "written"):
        filesystem, path = _open(address)
        with source.open("rb") as content, filesystem.open(path, "wb") as sink:
            shutil.copyfileobj(content, sink, _BYTES_AT_ONCE)


def with_size(filesystem: Any, file: RemoteFile, address: str) -> RemoteFile:
    """A file with the size that its filesystem says when it is asked for that alone.

    Raises:
        RunError: it cannot be reached.
    """
    with _told(address):
        return replace(file, size=_size(filesystem.info(file.path)))


def exists(address: str) -> bool:
    """Whether there is something at an address.

    Raises:
        RunError: it cannot be reached.
    """
    with _told(address):
        filesystem, path = _open(address)
        return bool(filesystem.exists(path))


def _open(address: str) -> tuple[Any, str]:
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(address)
    return filesystem, path


@contextmanager
def _told(address: str, done: str = "read") -> Iterator[None]:
    """What the filesystems of the world raise, as what the user can do about it.

    Raises:
        RunError: always, where anything is raised.
    """
    where = without_secrets(address)
    try:
        yield
    except RfavError:
        raise
    except ImportError as error:
        packages = f"'rfav-cli[remote]' {PACKAGES.get(protocol_of(address), '')}".strip()
        raise RunError(f"{where}: needs a package that is not installed", f"pip install {packages}") from error
    except FileNotFoundError as error:
        raise RunError(f"{where}: no such file, folder or bucket", "Check the address; a glob needs quotes.") from error
    except PermissionError as error:
        remedy = "Set the credentials that its client reads, or ask for access."
        raise RunError(f"{where}: access denied", remedy) from error
    except NotImplementedError as error:
        raise RunError(f"{where}: cannot be {done}: its filesystem has no such thing", "Copy it.") from error
    except Exception as error:  # each client raises its own
        says = without_secrets(what_it_says(error))
        remedy = "Check the address, the network and the credentials."
        raise RunError(f"{where}: cannot be {done} ({type(error).__name__}: {says})", remedy) from error


def _entry(filesystem: Any, name: str, info: Any) -> dict[str, Any]:
    """An entry of a listing; whether a page of the web is a folder, only the page says."""
    return {**info, "name": name, "folder": _is_folder(filesystem, name, info)}


def _below(filesystem: Any, start: dict[str, Any], root: str, address: str) -> Iterator[RemoteFile]:
    """A file, or the files below a folder; what is said to lie elsewhere is none."""
    if not start.get("folder", True):
        if (name := _name_below(root, start["name"])) is not None:
            yield _file(name, start["name"], start)
        return
    count, folders = 0, deque([(str(start["name"]), 0)])
    seen = {folders[0][0].rstrip("/")}
    while folders:
        folder, depth = folders.popleft()
        for entry in filesystem.ls(folder, detail=True):
            name = _name_below(root, entry["name"])
            if name is None or entry["name"].rstrip("/") in seen:
                continue
            seen.add(entry["name"].rstrip("/"))
            if (count := count + 1) > MOST_FILES:
                where = without_secrets(address)
                raise RunError(f"{where}: more than {MOST_FILES:,} files lie below it", "Name the folder of the run.")
            if entry.get("type") == "directory":
                if depth < _DEEPEST:
                    folders.append((entry["name"], depth + 1))
            else:
                yield _file(name, entry["name"], entry)


def _is_folder(filesystem: Any, path: str, info: Any) -> bool:
    if info.get("type") == "directory":
        return True
    if not path.startswith(("http://", "https://")):
        return False
    is_page = str(info.get("mimetype", "")).startswith("text/html")
    return path.endswith("/") or (is_page and bool(filesystem.ls(path.rstrip("/") + "/", detail=False)))


def _name_below(root: str, path: Any) -> str | None:
    """The name of a listed path below a folder, as it may be that of a local file; None where it may not."""
    if not isinstance(path, str) or not path.startswith(root):
        return None
    name = path[len(root) :].strip("/")
    if root.startswith(("http://", "https://")):
        if set("?#") & set(name):
            return None
        name = unquote(name)
    return name if is_plain(name) else None


def is_plain(name: str) -> bool:
    """Whether a name with "/" leads below where it begins, and can be that of a file here."""
    forbidden = set('\\:*?"<>|' if os.name == "nt" else "")
    return all(
        part not in ("", ".", "..") and len(part) <= _LONGEST and part.isprintable() and not forbidden & set(part)
        for part in name.split("/")
    )


def _file(name: str, path: str, info: Any) -> RemoteFile:
    stamp = next((str(info[key]) for key in _STAMPS if info.get(key)), "")
    return RemoteFile(name, path, _size(info), stamp)


def _size(info: Any) -> int | None:
    size = info.get("size")
    return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
