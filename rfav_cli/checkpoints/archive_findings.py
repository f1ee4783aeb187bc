"""What is said of a zip archive of any format: its members, the pickles among them, what rfav itself asks of it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from rfav_cli.checkpoints.operators import not_allowed
from rfav_cli.checkpoints.pickle_findings import report_names, report_problem
from rfav_cli.checkpoints.pickle_walk import MOST_BYTES, Walked, walk_whole
from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from rfav_cli.checkpoints.inspected import Look, Source
    from rfav_cli.checkpoints.zip_listing import ZipListing

_PICKLE_ENDS = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".dat", ".p")
_PICKLE_MAGIC = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


def sound_archive(source: Source, look: Look) -> ZipListing | None:
    """The archive of a program, its members taken down; None where it is damaged: then its pickles alone are said."""
    archive = source.archive
    if archive is None:
        return None
    look_at_members(source.file, archive, look)
    if look.found("refused") or look.found("incomplete"):
        walk_other_pickles(archive, look, ())
        return None
    return archive


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


def report_operators(operators: set[str], look: Look) -> None:
    """Take down what a program computes with, and say what of it rfav lets no program use."""
    look.names(operators=sorted(operators))
    for operator in not_allowed(operators):
        look.find("reaches-out", f"uses {printable(operator)}, which is not among the operators that nets need")
        look.find("refused", f"holds {printable(operator)!r}")


def report_refusal(check: Callable[[], object], source: Source, look: Look) -> None:
    """Ask what rfav itself asks before it loads a program.

    Args:
        check: raises CheckpointError where that is refused.
        source: the file.
        look: takes the refusal down.
    """
    try:
        check()
    except CheckpointError as error:
        words = error.what.removeprefix(f"{source.path}: ")
        look.find("reaches-out", words)
        look.find("refused", words)
