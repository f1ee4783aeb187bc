"""Arrays as `numpy.savez` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.checkpoints.archive_findings import look_at_members
from rfav_cli.checkpoints.inspection.npy import WHY_NOT, inspect_array

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "numpy archive"


def recognises(source: Source) -> bool:
    """Whether it is an archive of arrays alone."""
    members = source.archive.members if source.archive else []
    return bool(members) and all(member.filename.endswith(".npy") for member in members)


def inspect(source: Source, look: Look) -> None:
    """Look at the header of each array; where one holds objects, walk through their pickle."""
    look.readable, look.why_not = False, WHY_NOT
    listing = source.archive
    if listing is None or listing.archive is None:
        return
    look_at_members(source.file, listing, look)
    if look.found("refused") or look.found("incomplete"):
        return
    for member in listing.members:
        with listing.archive.open(member) as file:
            inspect_array(member.filename.removesuffix(".npy"), file, member.file_size, look)
