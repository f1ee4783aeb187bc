"""One watcher a store: it holds a lock on a file in the store's folder, and other writers are told.

The file is named like a temporary, so that what a killed watcher leaves is removed as theirs are. Readers look at
neither.
"""

from __future__ import annotations

import os
import platform
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rfav_cli.errors import StoreError
from rfav_cli.files.atomic import PREFIX
from rfav_cli.files.locks import is_still, lock
from rfav_cli.files.regular import open_regular
from rfav_cli.store.commit import refuse_link, refuse_special, writing
from rfav_cli.store.schema import folder_of
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = f"{PREFIX}watch"
_OURS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""The file is opened through no link, and waited for by nobody."""
_ATTEMPTS = 5
_LOOK = 0.05
"""Seconds after which a lock is tried again: who looks whether it is held holds it for a moment."""


@contextmanager
def watching(store: Path) -> Iterator[None]:
    """Be the one watcher of a store.

    Raises:
        StoreError: there is one already, or one cannot write there.
    """
    file = folder_of(store.absolute()) / NAME
    with writing(store):
        descriptor = _hold(store, file)
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()
        os.close(descriptor)
        with suppress(OSError):
            file.parent.rmdir()


def refuse_watched(store: Path) -> None:
    """Raise StoreError where a watcher fills a store; where the system has no locks that cannot be told."""
    file = folder_of(store) / NAME
    try:
        descriptor = os.open(file, os.O_RDWR | _OURS)
    except OSError:
        return
    try:
        if lock(descriptor, wait=False) is False:
            raise _refusal(store, file)
    finally:
        os.close(descriptor)


def _hold(store: Path, file: Path) -> int:
    """Make and lock the file; it may be taken for abandoned, and its folder be removed, between any two steps."""
    refused = 0
    while True:
        refuse_link(file.parent)
        file.parent.mkdir(exist_ok=True)
        refuse_special(file)
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | _OURS, 0o666)
        except FileNotFoundError:
            continue
        if os.fstat(descriptor).st_nlink > 1:
            os.close(descriptor)
            raise StoreError(f"{file}: has another name elsewhere, so it is not written over", "Remove it.")
        held = lock(descriptor, wait=False) is not False
        if held and is_still(file, descriptor):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
            return descriptor
        os.close(descriptor)
        if not held:
            refused += 1
            if refused == _ATTEMPTS:
                raise _refusal(store, file)
            time.sleep(_LOOK)


def _refusal(store: Path, file: Path) -> StoreError:
    who = ""
    with suppress(OSError), open_regular(file, follow=False) as stream:
        who = printable(stream.read(200).decode("utf-8", "replace"))
    return StoreError(
        f"{store}: `rfav watch` is filling it already{f' ({who})' if who else ''}",
        "Wait until that has ended, or choose another --out.",
    )
