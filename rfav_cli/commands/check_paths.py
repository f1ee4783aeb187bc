"""What `rfav check` is pointed at: stores, or checkpoints that are analysed into one first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rfav_cli.errors import StoreError, UsageError
from rfav_cli.options import Analyze

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rfav_cli.options import Check
    from rfav_cli.records import History

STORE_ENDS = (".h5", ".hdf5")
CACHE = "rfav-check.h5"
"""The store that checkpoints are analysed into, beside them."""


def names_stores(paths: Sequence[Path]) -> bool:
    """Whether these are stores, by their endings, and not checkpoints.

    Raises:
        UsageError: there are none, or some are and some are not.
    """
    stores = [path for path in paths if path.name.lower().endswith(STORE_ENDS)]
    if not paths:
        raise UsageError("nothing to check", "Give a store that `rfav analyze` wrote, or checkpoints.")
    if stores and len(stores) < len(paths):
        raise UsageError(f"{stores[0]} is a store, other paths are not", "Give stores, or the checkpoints of one run.")
    return bool(stores)


def measured(checkpoints: list[str], options: Check) -> History:
    """What the store beside the checkpoints holds when they are in it, each by its digest, and no others.

    Raises:
        UsageError: there is no probe.
        RfavError: as for `analyze`; a checkpoint that cannot be used is one.
    """
    from rfav_cli.checkpoints.find import find_checkpoints
    from rfav_cli.commands import analyze

    if options.probe is None:
        raise UsageError("checkpoints are analysed on held-out samples first", "Give --probe, or a store (.h5).")
    files = find_checkpoints(checkpoints, options.epochs, trust_pickle=options.i_trust_this_pickle)
    store = files.entries[0].path.parent / CACHE
    analysis = Analyze.of(options, checkpoints=checkpoints, out=store, maps=0)
    try:
        history = analyze.run(analysis)
        if {*history.epochs.tolist()} <= {entry.epoch for entry in files.entries}:
            return history
    except StoreError:
        pass  # of other checkpoints, another probe or other settings; what cannot be written is said again below
    return analyze.run(replace(analysis, fresh=True))
