"""Why an HDF5 file cannot be opened, in true words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.errors import StoreError
from rfav_cli.store.schema import damaged
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from pathlib import Path


class StoreInUseError(StoreError):
    """The file may be whole, and cannot be opened while another program has it open."""


def why_not_opened(path: Path, error: BaseException) -> StoreError:
    """Why HDF5 did not open a file that is there and can be read: it is in use, or damaged."""
    text = str(error)
    if isinstance(error, MemoryError):
        return StoreError(f"{path}: too little memory to open it", "Free some memory and try again.")
    if "already open" in text:
        return StoreInUseError(
            f"{path}: another program has it open for writing, or was killed while it had",
            "Close it there; if nobody has it open, `h5clear -s FILE` of the HDF5 tools takes that mark away.",
        )
    return damaged(path, "the file is cut off" if "truncated" in text else what_it_says(error))
