"""The formats of checkpoint files; a new one is one new file and one line here.

A format that gives state_dicts needs no more than that: `state_dicts.payload_of` takes what it read.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from rfav_cli.errors import CheckpointError, remedy_for
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import Format, ReadOptions
    from rfav_cli.records import Payload

FORMATS = {
    "state_dict": "state_dicts",
    "safetensors": "safetensors",
    "torchscript": "TorchScript",
    "exported": "exported programs",
}
"""Stem of the file in this folder -> what messages call such files. Each is a `Format`; the first that recognises a
file's content reads it."""


def format_of(path: Path) -> str:
    """The format of a checkpoint file, told by its content.

    Raises:
        CheckpointError: the file is missing, empty, cannot be read, or is of no format that is known.
    """
    try:
        if path.stat().st_size == 0:
            raise CheckpointError(f"{path}: the file is empty", "Leave it out, or save it again.")
        for name in FORMATS:
            if _format(name).recognises(path):
                return name
    except OSError as error:
        remedy = remedy_for(error, "Try again, or copy it elsewhere.")
        raise CheckpointError(f"{path}: cannot be read: {what_it_says(error)}", remedy) from error
    *others, last = FORMATS.values()
    raise CheckpointError(f"{path}: not a checkpoint", f"Give {', '.join(others)} or {last}.")


def read(path: Path, options: ReadOptions) -> Payload:
    """Read a checkpoint file of any format, told by its content.

    Raises:
        CheckpointError: the file is missing, empty, cut off, or of no format that is known.
    """
    return _format(format_of(path)).read(path, options)


def stored_epoch(path: Path, options: ReadOptions) -> int | None:
    """The epoch that a file of any format holds, or None.

    Raises:
        CheckpointError: as for `read`, but not each fault is found.
    """
    return _format(format_of(path)).stored_epoch(path, options)


def _format(name: str) -> Format:
    return cast("Format", import_module(f"{__name__}.{name}"))
