"""Reading a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.records import History


def open_store(path: str | Path) -> History:
    """Read a store, also one that is still being written; heatmaps are read from the file on use.

    Raises:
        StoreError: there is none, or it is no store that this version reads.
    """
    from rfav_cli import store

    return store.open_store(Path(path))


def as_history(store: str | Path | History) -> History:
    """What a store holds, which may have been read already.

    Raises:
        StoreError: as for `open_store`.
    """
    return open_store(store) if isinstance(store, (str, Path)) else store
