"""What files from anyone are and what is in them, told without opening them as what they are; needs torch for programs.

A format is one file and one line here. Nothing is made of a file: no tensor, no object, no net.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from rfav_cli.checkpoints.inspected import Look, Source
from rfav_cli.files.regular import open_regular
from rfav_cli.records import ScanFinding, ScannedFile
from rfav_cli.text import named, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.inspection.base import Inspection

INSPECTIONS = (
    *("distcp_shard", "state_dict", "torchscript", "exported", "safetensors", "hdf5", "npy", "npz", "keras"),
    *("archive", "pickle", "known"),
)
"""Stems of the files in this folder; the first that recognises a file looks through it."""
UNKNOWN = "unknown"


def inspect(path: Path, shown: str, *, expected: bool = True) -> ScannedFile:
    """Look through a file, whatever it is.

    Args:
        path: the file.
        shown: its name for the user.
        expected: whether a checkpoint is to be there.

    Returns:
        What it is and holds; what goes wrong is a finding.
    """
    try:
        with open_regular(path) as file:
            source = Source.of(path, file, expected=expected)
            return _inspected(source, shown)
    except OSError as error:
        return unsaid(shown, f"cannot be read: {what_it_says(error)}")


def unsaid(shown: str, why: str, size: int = 0) -> ScannedFile:
    """A file of which nothing can be said."""
    return ScannedFile(shown, UNKNOWN, "unknown", size, why_not=why, findings=(ScanFinding("incomplete", why),))


def _inspected(source: Source, shown: str) -> ScannedFile:
    for name in INSPECTIONS:
        module = cast("Inspection", import_module(f"{__name__}.{name}"))
        if module.recognises(source):
            look = Look()
            try:
                module.inspect(source, look)
            except MemoryError:
                look.find("incomplete", "too little memory to look through it")
            except RecursionError:
                look.find("incomplete", "too deep to be looked through")
            except Exception as error:  # a damaged file makes what reads it fail in any way there is
                look.find("incomplete", f"damaged: {named(error)}")
            return look.done(shown, name, look.metadata.pop("kind", "") or module.WHAT, source.size)
    return unsaid(shown, "is of no format that is known", source.size)
