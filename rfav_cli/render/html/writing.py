"""A page into its file: whole or not at all, in place of another report but of nothing else."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from rfav_cli.atomic import write_whole
from rfav_cli.errors import ReportError
from rfav_cli.render.html.page import MARK
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def check_place(path: Path) -> None:
    """Find out, before any work, whether a page may be written there.

    Raises:
        ReportError: it is a folder, has none, or is a file that is no report.
    """
    if path.is_dir():
        raise ReportError(f"{path}: is a folder", "Give the name of a file, like report.html, with --out.")
    if not path.parent.is_dir():
        raise ReportError(f"{path}: there is no folder {path.parent}", "Make it first, or choose another --out.")
    if os.path.lexists(path) and not _is_report(path):
        raise ReportError(f"{path}: is there already and no report, so it stays as it is", "Choose another --out.")


def write(path: Path, pieces: Iterable[str]) -> None:
    """Write a page in pieces; what is there stays as it is until the last one is written.

    Raises:
        ReportError: as of `check_place`, or it can't be written.
    """
    check_place(path)
    try:
        write_whole({path: (piece.encode() for piece in pieces)})
    except OSError as error:
        raise ReportError(
            f"{path}: cannot be written ({what_it_says(error)})",
            "Make its folder writable or free some space, or choose another --out.",
        ) from None


def _is_report(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return path.is_file() and file.read(len(MARK)) == MARK.encode()
    return False
