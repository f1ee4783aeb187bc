"""Packing a store into its one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.options import Pack, flat
from rfav_cli.remote import refuse_address

if TYPE_CHECKING:
    from rfav_cli.records import History


def run(options: Pack) -> History:
    """Put the epochs that lie in files of their own beside a store into the store.

    Raises:
        StoreError: there is no store, or it can't be written; nothing that was committed is lost.
        UsageError: it is elsewhere.
    """
    from rfav_cli import diagnosis, store

    refuse_address(options.path, "a store elsewhere is packed as it is", "Give a local one.")
    return store.pack(Path(options.path), diagnosis.derive)


pack = flat(Pack, run)
