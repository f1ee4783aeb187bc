"""An HDF5 file opened for reading, and in true words why it cannot be.

Readers lock nothing: the files of a store are never changed. Where HDF5_USE_FILE_LOCKING is set, HDF5 does as it says,
whatever is asked for here, and a reader can find a file locked.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import h5py

from rfav_cli.errors import StoreError
from rfav_cli.store.schema import damaged
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from pathlib import Path

UNLOCKED = False
"""What h5py is told of locks, in reading and in writing: a file is written where nobody else knows it yet."""

_HELD = (errno.EAGAIN, errno.EACCES)
"""What a system says of a lock that somebody else holds."""


class StoreInUseError(StoreError):
    """The file may be whole, and cannot be opened while another program has it open."""


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading, without a lock unless this process has it open with one already.

    Raises:
        OSError, and others: as h5py raises them.
    """
    try:
        return h5py.File(path, "r", locking=UNLOCKED)
    except OSError as error:
        if "flag values don't match" not in str(error):
            raise
    # A process that has the file open already can open it with the same flags alone: by default, or with a lock.
    try:
        return h5py.File(path, "r")
    except OSError:
        return h5py.File(path, "r", locking=True)


def why_not_opened(path: Path, error: BaseException) -> StoreError:
    """Why HDF5 did not open a file that is there and can be read: it is in use, cannot be locked, or is damaged."""
    text = str(error)
    if isinstance(error, MemoryError):
        return StoreError(f"{path}: too little memory to open it", "Free some memory and try again.")
    if "unable to lock file" in text:
        if getattr(error, "errno", None) in _HELD:
            return StoreInUseError(
                f"{path}: another program has it open for writing and holds a lock on it",
                "Close it there, or unset HDF5_USE_FILE_LOCKING: rfav then reads without locks.",
            )
        return StoreError(
            f"{path}: cannot be locked ({what_it_says(error)})", "Set HDF5_USE_FILE_LOCKING to BEST_EFFORT or FALSE."
        )
    if "already open" in text or "flag values don't match" in text:
        return StoreInUseError(
            f"{path}: is open already, otherwise than for reading ({what_it_says(error)})", "Close it."
        )
    return damaged(path, "the file is cut off" if "truncated" in text else what_it_says(error))
