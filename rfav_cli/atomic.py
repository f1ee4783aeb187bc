"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def write_whole(contents: Mapping[Path, Iterable[bytes]]) -> None:
    """Write some files; each appears whole, in place of what was there, and none where one cannot be written.

    Each is written beside its place first and renamed when all are on the disk. A special file, such as /dev/stdout,
    is written to as it is.

    Args:
        contents: path -> its bytes in pieces, which are asked for as they are written.

    Raises:
        OSError: one cannot be written; its `filename` is that of the file that was asked for.
    """
    waiting: dict[Path, Path] = {}
    try:
        for path, pieces in contents.items():
            try:
                if path.exists() and not path.is_file() and not path.is_dir():
                    with path.open("wb") as file:
                        file.writelines(pieces)
                    continue
                place = path.resolve()  # a link stays one
                if place.is_dir():
                    raise IsADirectoryError(21, "Is a directory")
                waiting[place.with_name(f".tmp-{secrets.token_hex(4)}")] = place
                _write(next(reversed(waiting)), pieces)
            except OSError as error:
                raise OSError(error.errno, error.strerror or str(error), str(path)) from None
        for temporary, place in waiting.items():
            temporary.replace(place)
    except BaseException:
        for temporary in waiting:
            with suppress(OSError):
                temporary.unlink()
        raise


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("xb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
