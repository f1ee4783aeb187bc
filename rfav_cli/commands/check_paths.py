"""What `rfav check` is pointed at: stores, or checkpoints that are analysed into one first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rfav_cli.records import Event, History

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


@dataclass(frozen=True)
class Analysis:
    """How checkpoints are analysed before they are judged; the attributes are arguments of `analyze`."""

    probe: str | Path | None
    model: Any
    model_arg: Sequence[str]
    output: str | None
    epochs: str | None
    probe_size: int
    mean: Sequence[float] | None
    std: Sequence[float] | None
    resize: int | tuple[int, int] | None
    gray: bool
    layout: str | None
    classes: str | Path | None
    device: str
    i_trust_this_pickle: bool
    report: Callable[[Event], None]

    def measured(self, checkpoints: list[str]) -> History:
        """What the store beside the checkpoints holds when they are in it, each by its digest, and no others.

        Raises:
            UsageError: there is no probe.
            RfavError: as for `analyze`; a checkpoint that cannot be used is one.
        """
        from rfav_cli.checkpoints.find import find_checkpoints
        from rfav_cli.commands.analyze import analyze

        if self.probe is None:
            raise UsageError("checkpoints are analysed on held-out samples first", "Give --probe, or a store (.h5).")
        files = find_checkpoints(checkpoints, self.epochs, trust_pickle=self.i_trust_this_pickle)
        store = files.entries[0].path.parent / CACHE
        options: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        try:
            history = analyze(checkpoints, out=store, maps=0, **options)
            if {*history.epochs.tolist()} <= {entry.epoch for entry in files.entries}:
                return history
        except StoreError:
            pass  # of other checkpoints, another probe or other settings; what cannot be written is said again below
        return analyze(checkpoints, out=store, maps=0, fresh=True, **options)
