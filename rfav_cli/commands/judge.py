"""From a store to a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from rfav_cli.records import History, Verdict


def judge(store: str | Path | History, *, thresholds: Thresholds = Thresholds()) -> Verdict:  # noqa: B008 - frozen
    """Say what became of a run and of each of its layers.

    Args:
        store: its path, or what `open_store` and `analyze` give.
        thresholds: where the verdict draws its lines.

    Raises:
        StoreError: the store can't be read.
    """
    from rfav_cli import diagnosis
    from rfav_cli.store import open_store

    history = open_store(Path(store)) if isinstance(store, (str, Path)) else store
    return diagnosis.judge(history, thresholds)
