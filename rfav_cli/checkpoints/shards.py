"""Weights that lie in several files of a folder: which files, and what they hold together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.json_files import read_json
from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5,6})-of-(?P<count>\d{5,6})(?P<ending>\.[a-z]+)")
"""The name of one of several files, such as `model-00001-of-00002.safetensors`."""

_REMEDY = "Copy or save the whole folder again, or leave it out."


def indexed_files(index: Path) -> list[Path]:
    """The files that an index names, sorted.

    Raises:
        CheckpointError: the index is damaged, or names a file that is not there, or none of its own folder.
    """
    return [_file(index, name) for name in sorted(set(_weight_map(index).values()))]


def numbered_files(folder: Path, names: Iterable[str]) -> list[Path]:
    """The files of a folder whose names say which of how many they are, where no index does.

    Args:
        folder: where they are.
        names: of the files in it.

    Raises:
        CheckpointError: one is missing, or they are of several sets.
    """
    shards = [match for name in sorted(names) if (match := SHARD.fullmatch(name))]
    sets = {(shard["stem"], shard["count"], shard["ending"]) for shard in shards}
    if len(sets) > 1:
        raise CheckpointError(f"{folder}: holds the parts of {len(sets)} sets of weights and no index", _REMEDY)
    count = int(shards[0]["count"]) if shards else 0
    if [int(shard["number"]) for shard in shards] != list(range(1, count + 1)):
        raise CheckpointError(
            f"{folder}: {len(shards)} of the {count} files that its weights lie in are there", _REMEDY
        )
    return [folder / shard[0] for shard in shards]


def joined(
    folder: Path, files: Iterable[Path], load: Callable[[Path], Mapping[str, Any]], index: Path | None
) -> dict[str, Any]:
    """The weights of several files.

    Args:
        folder: that they are in, for messages.
        files: what they lie in.
        load: reads one.
        index: what says which weight is in which file, where there is such a thing.

    Raises:
        CheckpointError: a weight is in two files, or not in the one that the index says.
    """
    keys_of: dict[str, list[str]] = {}
    for key, name in ({} if index is None else _weight_map(index)).items():
        keys_of.setdefault(name, []).append(key)
    weights: dict[str, Any] = {}
    for file in files:
        part = load(file)
        if twice := weights.keys() & part.keys():
            raise CheckpointError(f"{folder}: {printable(min(map(str, twice)))!r} is in two of its files", _REMEDY)
        if missing := [key for key in keys_of.get(file.name, ()) if key not in part]:
            raise CheckpointError(
                f"{folder}: {printable(missing[0])!r} is not in {printable(file.name)}, where its index says", _REMEDY
            )
        weights.update(part)
    return weights


def _weight_map(index: Path) -> dict[str, str]:
    """Name of a weight -> name of the file that it is in."""
    found = read_json(index).get("weight_map")
    if not isinstance(found, dict) or not found or not all(isinstance(name, str) for name in found.values()):
        raise CheckpointError(f"{index}: does not say which weights are in which file", _REMEDY)
    return found


def _file(index: Path, name: str) -> Path:
    """A file that an index names, which has to lie beside it."""
    folder = index.parent
    if not re.fullmatch(r"[\w.=+-]{1,200}", name) or name.startswith("."):
        raise CheckpointError(f"{index}: names {printable(name)!r}, which is no name of a file beside it", _REMEDY)
    path = folder / name
    if not path.is_file():
        raise CheckpointError(f"{folder}: {printable(name)} is not there, which its index names", _REMEDY)
    if not _lies_in(path.resolve(), folder.resolve()):
        raise CheckpointError(f"{index}: names {printable(name)!r}, a link to another folder", _REMEDY)
    return path


def _lies_in(file: Path, folder: Path) -> bool:
    """Whether a file is in a folder, or is what the hub's cache has put apart for its folder of links."""
    return file.parent == folder or (
        folder.parent.name == "snapshots" and file.parent == folder.parent.parent / "blobs"
    )
