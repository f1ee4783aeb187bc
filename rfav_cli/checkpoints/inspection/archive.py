"""Any other zip archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.checkpoints.archive_findings import look_at_members, walk_other_pickles

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "zip archive"


def recognises(source: Source) -> bool:
    """Whether it begins as a zip archive does."""
    return source.archive is not None


def inspect(source: Source, look: Look) -> None:
    """Look at its members, and walk through those that are pickles."""
    look.readable, look.why_not = False, "a zip archive that is no checkpoint"
    archive = source.archive
    if archive is None:
        return
    look_at_members(source.file, archive, look)
    walk_other_pickles(archive, look, ())
    if not archive.problem:
        look.find("incomplete", "an archive of no known format: only its names and pickles were looked at")
