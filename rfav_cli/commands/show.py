"""Describing a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import as_history
from rfav_cli.options import Show, flat
from rfav_cli.records import Description

if TYPE_CHECKING:
    from rfav_cli.records import History


def run(options: Show) -> Description:
    """Describe a store and judge it.

    Returns:
        What `rfav show --format json` prints, and the history and the verdict that it was made of.

    Raises:
        StoreError: it can't be read.
    """
    return describe(as_history(options.path), options)


def describe(history: History, options: Show) -> Description:
    """As `run`, of a store that was read already."""
    from rfav_cli import diagnosis
    from rfav_cli.render.document import show_document

    verdict = diagnosis.judge(history, options.thresholds)
    return Description(history, verdict, show_document(history, verdict))


show = flat(Show, run)
