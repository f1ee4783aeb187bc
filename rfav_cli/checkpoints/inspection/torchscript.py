"""What `torch.jit.save` wrote: code, which is read as text, and the pickles beside it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.archive_findings import report_operators, report_refusal, sound_archive, walk_other_pickles
from rfav_cli.checkpoints.pickle_findings import report_names, report_problem, report_tensors
from rfav_cli.checkpoints.pickle_walk import MOST_BYTES, Walked, walk
from rfav_cli.checkpoints.script_source import SourceError, module_of, read_source
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source
    from rfav_cli.checkpoints.zip_listing import ZipListing

WHAT = "TorchScript program"
_MOST_CODE = 2**26
"""Bytes of code that are looked through."""
_PICKLES = ("data.pkl", "constants.pkl")


def recognises(source: Source) -> bool:
    """Whether it is an archive with code and constants."""
    names = source.short_names
    return "constants.pkl" in names and any(name.startswith("code/") for name in names)


def inspect(source: Source, look: Look) -> None:
    """Take down its operators and tensors, and say whether it reaches beyond tensors."""
    archive = sound_archive(source, look)
    if archive is None:
        return
    _inspect_code(source, archive, look)
    numbers = set()
    for short in _PICKLES:
        member = archive.find(f"{archive.root}{short}")
        if member is None or member.file_size > MOST_BYTES:
            look.find("incomplete", f"{short} is missing, or longer than what is looked through")
            continue
        walked = Walked()
        content = archive.read(member, MOST_BYTES)
        for held in walk(io.BytesIO(content), len(content), walked):
            report_tensors(held, look, bare=True)
        report_names(walked, look, short)
        report_problem(walked, look, short)
        numbers |= {f"{archive.root}{short.partition('.')[0]}/{storage.key}" for storage in walked.storages}
    walk_other_pickles(archive, look, numbers | {f"{archive.root}{short}" for short in _PICKLES})


def _inspect_code(source: Source, archive: ZipListing, look: Look) -> None:
    """List the operators of its code, and hold it against what rfav lets run."""
    left, files = _MOST_CODE, {}
    for member in archive.members:
        name = member.filename.removeprefix(archive.root)
        module = module_of(name)
        if module is None:
            continue
        if member.file_size > left:
            look.find("incomplete", "more code than is looked through")
            return
        files[module] = archive.read(member, left).decode("latin-1")
        left -= member.file_size
    try:
        code = read_source(files)
    except SourceError as error:
        look.find("refused", f"holds {printable(error)!r}")
        return
    report_operators(code.operators, look)
    for name in code.refused():
        if name not in code.operators:
            look.find("reaches-out", f"uses {printable(name)}, which nets do not need")
            look.find("refused", f"holds {printable(name)!r}")
    if look.found("refused"):
        return
    from rfav_cli.checkpoints import archives, integrity  # imports torch

    def hold() -> None:
        integrity.check_archive(source.path)
        archives.check_text(source.path, archives.read_whole(source.path))

    report_refusal(hold, source, look)
