"""The one place that knows rfav's HDF5 schema.

A committed epoch is an immutable file, since HDF5 does not survive a killed writer in place. While a run goes on, they
lie in the folder `rfav.h5.d` beside `rfav.h5`; packing moves them into it; readers see the union.
"""

from __future__ import annotations

from rfav_cli.store.finding import Finder, is_store
from rfav_cli.store.pack import pack
from rfav_cli.store.reader import held_open, open_store
from rfav_cli.store.scan import state_of
from rfav_cli.store.verify import names_store, verify
from rfav_cli.store.watchers import watching
from rfav_cli.store.writer import StoreWriter, check_place

__all__ = [
    "Finder",
    "StoreWriter",
    "check_place",
    "held_open",
    "is_store",
    "names_store",
    "open_store",
    "pack",
    "state_of",
    "verify",
    "watching",
]
