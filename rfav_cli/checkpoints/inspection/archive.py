"""Any other zip archive, and what all archives are looked at for."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from rfav_cli.checkpoints.pickle_findings import report_names, report_problem
from rfav_cli.checkpoints.pickle_walk import MOST_BYTES, Walked, walk_whole
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection

    from rfav_cli.checkpoints.inspected import Look, Source
    from rfav_cli.checkpoints.zip_listing import ZipListing

WHAT = "zip archive"
_PICKLE_ENDS = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".dat", ".p")
_PICKLE_MAGIC = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


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


def look_at_members(file: IO[bytes], archive: ZipListing, look: Look) -> None:
    """Take down the members of an archive, and what is wrong with them; checksums are compared."""
    for member in archive.members:
        look.member(member.filename, member.file_size, member.compress_size)
    if archive.problem:
        look.find("incomplete", archive.problem)
        return
    refusals = archive.refusals()
    for words in refusals:
        look.find("refused", words)
    for words in archive.oddities(file):
        look.find("unusual", words)
    if archive.differs:
        look.find("incomplete", "readers of archives differ in what they see of it")
    if refusals:
        return  # nothing is unpacked that says of itself that it swells
    for name in archive.wrong_sums():
        look.find("incomplete", f"damaged: the checksum of {name!r} is wrong")


def walk_other_pickles(archive: ZipListing, look: Look, known: Collection[str]) -> None:
    """Walk through the members that are pickles, by their names or their beginning, beside those that are known."""
    left = MOST_BYTES
    for member in archive.members:
        if member.filename in known or member.is_dir() or member.flag_bits & 1:
            continue
        name = printable(member.filename, 120)
        if member.file_size > left:
            if member.filename.endswith(_PICKLE_ENDS):
                look.find("incomplete", f"{name!r} has {member.file_size:,} bytes, more than are looked through")
            continue
        head = archive.read(member, 2)
        if not head.startswith(_PICKLE_MAGIC) and not member.filename.endswith((".pkl", ".pickle")):
            continue
        content = archive.read(member, left)
        left -= len(content)
        walked = Walked()
        walk_whole(content, walked)
        if walked.problem and not walked.names and not member.filename.endswith((".pkl", ".pickle")):
            continue  # numbers that begin as pickles do
        report_names(walked, look, name)
        report_problem(walked, look, name)
