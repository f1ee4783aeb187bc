"""From a store to a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import as_history
from rfav_cli.options import Judge, flat

if TYPE_CHECKING:
    from rfav_cli.records import Verdict


def run(options: Judge) -> Verdict:
    """Say what became of a run and of each of its layers.

    Raises:
        StoreError: the store can't be read.
    """
    from rfav_cli import diagnosis

    return diagnosis.judge(as_history(options.store), options.thresholds)


judge = flat(Judge, run)
