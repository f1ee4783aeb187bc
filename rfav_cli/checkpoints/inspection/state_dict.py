"""What `torch.save` wrote: an archive of a pickle and the numbers of tensors, or, before 2020, pickles and numbers."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

from rfav_cli.checkpoints.archive_findings import look_at_members, walk_other_pickles
from rfav_cli.checkpoints.pickle_findings import NOT_TORCH, report_names, report_problem, report_tensors
from rfav_cli.checkpoints.pickle_walk import MOST_BYTES, Walked, walk, walk_nested
from rfav_cli.checkpoints.sketches import SIZES
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfav_cli.checkpoints.inspected import Look, Source
    from rfav_cli.checkpoints.zip_listing import ZipListing

WHAT = "torch.save file"
_MAGIC = 0x1950A86A20F9469CFC6C
_MAGIC_BYTES = _MAGIC.to_bytes(10, "little")
_PICKLES = 5
"""In the older format: magic number, version, system, content, keys of the storages."""


def recognises(source: Source) -> bool:
    """Whether it is an archive with a pickle of that name and no code, or begins with the older format's number."""
    if _MAGIC_BYTES in source.head[:32] and source.head[:1] == b"\x80":
        return True
    names = source.short_names
    return "data.pkl" in names and not any(name == "constants.pkl" or name.startswith("code/") for name in names)


def inspect(source: Source, look: Look) -> None:
    """Walk through its pickles, and hold what they claim against what is there."""
    if source.archive is None:
        _inspect_old(source, look)
        return
    inspect_archive(source.file, source.archive, look)


def inspect_archive(file: IO[bytes], archive: ZipListing, look: Look, *, part: bool = False) -> None:
    """Look through an archive of torch.save.

    Args:
        file: that it is in.
        archive: its members.
        look: takes down what is found.
        part: it is a part of a checkpoint, so that it need not hold weights.
    """
    look_at_members(file, archive, look)
    root = archive.root
    main = archive.find(f"{root}data.pkl")
    if main is None:
        look.find("refused", f"damaged: no data.pkl in {printable(root, 80)!r}, where its first member lies")
        walk_other_pickles(archive, look, ())
        return
    if main.file_size > MOST_BYTES:
        look.find("incomplete", f"data.pkl has {main.file_size:,} bytes, more than are looked through")
        return
    walked = Walked()
    pickled = archive.read(main, MOST_BYTES)
    contents = list(_first(walk(io.BytesIO(pickled), len(pickled), walked)))
    if not pickled:
        look.find("refused", NOT_TORCH)
    walk_nested(walked)
    report_problem(walked, look)
    report_names(walked, look)
    for content in contents:
        report_tensors(content, look, bare=part)
    _hold_against_members(walked, archive, look)
    numbers = {f"{root}data/{storage.key}" for storage in walked.storages}
    walk_other_pickles(archive, look, numbers | {main.filename})


def _first(contents: Any) -> Any:
    """The first of several, which is what torch reads."""
    for content in contents:
        yield content
        return


def _hold_against_members(walked: Walked, archive: ZipListing, look: Look) -> None:
    """Hold each storage that is claimed against the member that has its numbers."""
    for key, size in _claimed(walked, look).items():
        name = f"{archive.root}data/{key}"
        member = archive.find(name)
        if member is None:
            look.find("refused", f"damaged: there is no {printable(name, 120)!r} in it")
        elif member.file_size < size:
            look.find(
                "refused",
                f"damaged: {printable(name, 120)!r} has {member.file_size:,} bytes, its tensor needs {size:,}",
            )


def _claimed(walked: Walked, look: Look) -> dict[str, int]:
    """Name of a storage -> the bytes that are claimed for it."""
    claimed: dict[str, int] = {}
    for storage in walked.storages:
        if claimed.setdefault(storage.key, storage.bytes) != storage.bytes:
            look.find("refused", "damaged: two sizes are claimed for a storage")
    return claimed


def _are_keys(keys: Any, claimed: Mapping[str, Any]) -> bool:
    """Whether a list has the name of each storage once."""
    if not isinstance(keys, list) or not all(isinstance(key, str | int | bytes) for key in keys):
        return False
    return sorted(key.decode("latin-1") if isinstance(key, bytes) else str(key) for key in keys) == sorted(claimed)


def _inspect_old(source: Source, look: Look) -> None:
    walked = Walked()
    source.file.seek(0)
    contents = list(walk(source.file, source.size, walked))
    begin = source.file.tell()
    walk_nested(walked)
    report_problem(walked, look)
    report_names(walked, look)
    if len(contents) < _PICKLES or contents[0] != _MAGIC:
        look.find("refused", NOT_TORCH)
    for content in contents[3:4]:
        report_tensors(content, look)
    _claimed(walked, look)
    if len(contents) == _PICKLES:
        _hold_against_numbers(source, begin, walked, contents[4], look)


def _hold_against_numbers(source: Source, begin: int, walked: Walked, keys: Any, look: Look) -> None:
    """Hold what is claimed in the older format against the numbers after its pickles, each with a count before it."""
    storages = {storage.key: storage for storage in walked.storages}
    if not _are_keys(keys, storages):
        look.find("refused", "damaged: its storages are not those of its tensors")
        return
    place = begin
    for key in keys:
        storage = storages[key.decode("latin-1") if isinstance(key, bytes) else str(key)]
        if int.from_bytes(source.bytes_at(place, 8), "little") != storage.bytes // SIZES[storage.dtype]:
            look.find("refused", "damaged or cut off: the numbers are not those of its tensors")
            return
        place += 8 + storage.bytes
    if place > source.size:
        look.find("refused", "damaged or cut off: smaller than its tensors")
    elif place < source.size:
        look.find("unusual", f"{source.size - place:,} bytes at its end belong to no tensor")
