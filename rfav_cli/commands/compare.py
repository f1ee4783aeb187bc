"""Comparing two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import as_history
from rfav_cli.options import Compare, flat

if TYPE_CHECKING:
    from rfav_cli.records import Comparison


def run(options: Compare) -> Comparison:
    """Compare two runs, such as before and after a retraining: held-out loss and accuracy, and each layer by its name.

    Raises:
        StoreError: a store can't be read.
    """
    from rfav_cli import diagnosis

    return diagnosis.compare(as_history(options.path_a), as_history(options.path_b), options.thresholds)


compare = flat(Compare, run)
