"""The log of a run: a line of JSON an epoch."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from rfav_cli.files.atomic import replacing, write_all
from rfav_cli.files.regular import open_regular
from rfav_cli.training.folder import unwritable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Row = dict[str, Any]
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def append(path: Path, row: Mapping[str, Any]) -> None:
    """Add a line; when this returns, it is on disk.

    Raises:
        TrainingError: it could not be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_LINK, 0o666)
        try:
            write_all(descriptor, _line(row))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unwritable(path, error) from error


def truncate(path: Path, last: int, row: Mapping[str, Any] | None) -> tuple[Row, ...]:
    """Bring a log to what a resumed run knows: the lines up to an epoch, each epoch once.

    A line that is damaged, as a killed writer leaves it, is dropped.

    Args:
        path: of the log, which need not be there.
        last: the last epoch that is done.
        row: of that epoch, which the log may lack.

    Returns:
        The rows that are left.

    Raises:
        TrainingError: it could not be read or written.
    """
    try:
        rows = {logged["epoch"]: logged for logged in read(path) if logged["epoch"] <= last}
        if row is not None:
            rows[last] = {**row}
        remaining = tuple(rows[epoch] for epoch in sorted(rows))
        with replacing(path) as file:
            file.write(b"".join(map(_line, remaining)))
    except OSError as error:
        raise unwritable(path, error) from error
    return remaining


def read(path: Path) -> tuple[Row, ...]:
    """The rows of a log, by their order in it; lines that are none are left out."""
    try:
        with open_regular(path, follow=False) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return ()
    parsed = (_parsed(line) for line in lines)
    return tuple(row for row in parsed if row is not None)


def _parsed(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("epoch"), int) else None


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, allow_nan=False).encode() + b"\n"
