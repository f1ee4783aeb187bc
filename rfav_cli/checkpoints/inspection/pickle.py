"""Any other pickle: what `pickle.dump`, joblib and their like write."""

from __future__ import annotations

import pickletools
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.pickle_findings import report_names, report_tensors
from rfav_cli.checkpoints.pickle_walk import Walked, walk, walk_nested
from rfav_cli.checkpoints.zip_listing import ZipListing

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "pickle"
_MAGIC = tuple(bytes([0x80, protocol]) for protocol in range(6))
_OLD = tuple(bytes([code]) for code in b"(])}cilIFSVLN")
"""What pickles of protocol 0 and 1 begin with."""
_BUILDS = frozenset({"GLOBAL", "INST", "MARK", "DICT", "LIST", "TUPLE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"})
"""One of these is in each pickle of more than a number; text of people hardly begins with any."""
_FEWEST = 8
"""Instructions at the beginning of a long file that tell it from text."""
NOT_TORCH = "a pickle that torch.save did not write"


def recognises(source: Source) -> bool:
    """Whether it begins as pickles of protocol 2 and later do, or reads as an older one from beginning to end."""
    if source.head.startswith(_MAGIC):
        return True
    if not source.head.startswith(_OLD):
        return False
    codes: list[str] = []
    try:
        codes.extend(code.name for code, _, _ in pickletools.genops(source.head))
    except Exception:  # text makes the machine fail in any way there is
        called = {"REDUCE"} <= {*codes} and bool({*codes} & {"GLOBAL", "INST"})
        return called or (source.size > len(source.head) and len(codes) >= _FEWEST and bool({*codes} & _BUILDS))
    return bool({*codes} & _BUILDS)


def inspect(source: Source, look: Look) -> None:
    """Walk through all that follow one another in the file."""
    source.file.seek(0)
    walked = Walked()
    contents = list(walk(source.file, source.size, walked))
    walk_nested(walked)
    report_names(walked, look)
    for content in contents:
        report_tensors(content, look, bare=True)
    look.readable, look.why_not = False, NOT_TORCH
    if source.expected:
        look.find("refused", NOT_TORCH)
    if not walked.whole:
        look.find("incomplete", f"it cannot be followed to its end: {walked.problem}")
    if contents and walked.problem and not ZipListing.of(source.file).problem:
        look.find("unusual", "is a zip archive as well, behind a pickle")
        look.find("incomplete", "what others read of it depends on where they begin")
    elif len(contents) > 1:
        look.find("unusual", f"{len(contents)} pickles follow one another, of which most readers take the first")
