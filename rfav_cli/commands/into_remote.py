"""An analysis whose store goes elsewhere: made here, and written there when it ends."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.commands.open_store import open_store
from rfav_cli.commands.pack import pack
from rfav_cli.errors import RunError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.options import Analyze
    from rfav_cli.records import History


def into_remote(options: Analyze, address: str, analyze: Callable[[Analyze], History]) -> History:
    """Analyse into a local store, and write it to an address at the end, also where the analysis was cut short.

    A store that is there is continued.

    Raises:
        UsageError: several processes were to write the store, or the web is no place to write to.
        StoreError: what is there is no store, or cannot be replaced; the local one is kept then, and named.
        RfavError: as of an analysis.
    """
    from rfav_cli.store import is_store

    where = remote.shown(address)
    if options.no_pack or options.shard or options.ranks.world > 1:
        raise UsageError(f"--out {where}: is written as a whole, by one process", "Give an --out in a local folder.")
    if address.startswith(("http://", "https://")):
        raise UsageError(
            f"--out {where}: nothing can be written there", "Give a local file, or s3://, gs:// or the like."
        )
    with tempfile.TemporaryDirectory(prefix="rfav-", ignore_cleanup_errors=True) as folder:
        store = Path(folder) / (where.rpartition("/")[2] or "rfav.h5")
        if remote.exists(address):
            before = remote.keep(address)
            if options.fresh and not is_store(before):
                raise StoreError(
                    f"{where}: is there already and no store, so it stays as it is", "Choose another --out."
                )
            if not options.fresh:
                shutil.copyfile(before, store)
        try:
            analyze(replace(options, out=store))
        finally:
            _write(store, address)
    return open_store(address)


def _write(store: Path, address: str) -> None:
    """Pack a store, if there is one, and write it to an address.

    Raises:
        StoreError: it cannot be written; it is in the current folder then.
    """
    from rfav_cli.store import state_of

    if not state_of(store):
        return
    pack(store)
    try:
        remote.upload(store, address)
    except RunError as error:
        kept = Path(store.name)
        number = 0
        while kept.exists():
            kept = Path(f"{store.stem}-{(number := number + 1)}{store.suffix}")
        shutil.move(store, kept)
        raise StoreError(f"{error.what}; what was measured is in {kept}", error.remedy) from error
