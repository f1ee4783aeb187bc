"""A file of a store opened from one descriptor, and in true words why it cannot be.

Readers lock nothing and wait for no lock: the files of a store are never changed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import IO, TYPE_CHECKING

from rfav_cli.errors import StoreError
from rfav_cli.files.hdf5 import SIGNATURE, open_stream
from rfav_cli.files.regular import NotRegularError, open_regular
from rfav_cli.files.sizes import bytes_on_disk, swells
from rfav_cli.store.schema import damaged, not_a_store
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    import os
    from pathlib import Path

MARKS = ("schema", "rfav_version")
"""Attributes of every store."""
LIBRARY_ERRORS = (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError, MemoryError, RecursionError)
"""What HDF5 and h5py raise of a file that is not as it should be."""
_START = 1 << 20
"""Bytes at the start of a damaged file within which the names of its attributes are looked for."""
_SURE, _SPARSEST = 1 << 26, 1 / 100
"""Values of more bytes than the one, of which a smaller share than the other is on the disk, are nobody's figures."""


def opened_stream(path: Path, *, follow: bool = True) -> IO[bytes]:
    """An HDF5 file, open to be read.

    Args:
        path: the file.
        follow: through a link as well; without, a link is refused.

    Raises:
        FileNotFoundError: it is not there.
        StoreError: it cannot be read, or is no HDF5 file.
    """
    try:
        stream = open_regular(path, follow=follow)
    except FileNotFoundError:
        raise
    except NotRegularError as error:
        raise not_a_store(path, str(error.strerror)) from error
    except OSError as error:
        remedy = "Give a store that you may read." if isinstance(error, PermissionError) else "Copy it elsewhere."
        raise StoreError(f"{path}: cannot be read ({what_it_says(error)})", remedy) from error
    start = stream.read(len(SIGNATURE))
    if start == SIGNATURE:
        return stream
    stream.close()
    raise not_a_store(path, "not an HDF5 file" if start else "an empty file")


def is_store_file(path: Path, *, follow: bool = True) -> bool:
    """Whether a file is a store of any schema, if only a damaged one, which rfav may replace."""
    with suppress(StoreError, OSError), opened_stream(path, follow=follow) as stream:
        with suppress(*LIBRARY_ERRORS), open_stream(stream) as file:
            return all(name in file.attrs for name in MARKS)
        stream.seek(0)
        start = stream.read(_START)
        return all(name.encode() in start for name in MARKS)
    return False


def too_much(declared: int, status: os.stat_result) -> str:
    """Why so many bytes of values cannot be in a file; empty where they can.

    A file may have holes that take no room on the disk, and so be far larger than what anyone wrote.
    """
    if declared > status.st_size:
        return "its datasets are larger than the file"
    on_disk = bytes_on_disk(status) or status.st_size  # some file systems do not say
    if swells(declared, on_disk, _SPARSEST, _SURE):
        return f"{declared:,} bytes of values, of which {on_disk:,} are on the disk"
    return ""


def why_not_opened(path: Path, error: BaseException) -> StoreError:
    """Why HDF5 did not open a file that is there and can be read."""
    if isinstance(error, MemoryError):
        return StoreError(f"{path}: too little memory to open it", "Free some memory and try again.")
    return damaged(path, "the file is cut off" if "truncated" in str(error) else what_it_says(error))
