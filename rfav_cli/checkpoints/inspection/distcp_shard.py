"""A file of torch.distributed.checkpoint: what torch.save wrote for one tensor after another."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, cast

from rfav_cli.checkpoints.inspection.state_dict import inspect_archive
from rfav_cli.checkpoints.zip_listing import ZipListing
from rfav_cli.checkpoints.zip_parts import Window, parts_of

if TYPE_CHECKING:
    from typing import IO

    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "torch.distributed.checkpoint file"
_MOST = 100_000
"""Archives in one file that are looked through."""


def recognises(source: Source) -> bool:
    """Whether the archive that the file ends with does not begin where the file does, and another does."""
    members = source.archive.members if source.archive else []
    if not members or min(member.header_offset for member in members) <= 0:
        return False
    first = next(parts_of(source.file, source.size), None)
    return first is not None and first[1] < source.size


def inspect(source: Source, look: Look) -> None:
    """Look through one archive after another."""
    end = 0
    for number, (start, stop) in enumerate(parts_of(source.file, source.size)):
        if number == _MOST:
            look.find("incomplete", f"more than {_MOST:,} archives")
            return
        window = cast("IO[bytes]", io.BufferedReader(Window(source.file, start, stop)))
        inspect_archive(window, ZipListing.of(window), look, part=True)
        end = stop
    if end < source.size:
        look.find("unusual", f"{source.size - end:,} bytes at its end belong to no tensor")
        look.find("incomplete", "what others read of it depends on where they begin")
    look.readable, look.why_not = False, "a part of a checkpoint, which is the folder that it lies in"
