"""Describing a store, once or as often as others add to it; none of it needs torch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import as_history
from rfav_cli.options import Show, flat
from rfav_cli.records import Description
from rfav_cli.remote import refuse_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import History


def run(options: Show) -> Description:
    """Describe a store and judge it.

    Returns:
        What `rfav show --format json` prints, and the history and the verdict that it was made of.

    Raises:
        StoreError: it can't be read.
    """
    from rfav_cli import diagnosis
    from rfav_cli.render.document import show_document

    history = as_history(options.path)
    verdict = diagnosis.judge(history, options.thresholds)
    return Description(history, verdict, show_document(history, verdict))


show = flat(Show, run)


def follow(path: str | Path, *, interval: float = 1.0) -> Iterator[History | None]:
    """Read a store again whenever its files have changed. It locks nothing, so no writer ever waits for it.

    Args:
        path: the store; it need not be there yet.
        interval: seconds between two looks.

    Yields:
        What it holds, each time that an epoch, a bad file or a doubt was added; None once each time that there is no
        epoch to show; it never ends by itself.

    Raises:
        StoreError: what is there cannot be read.
        UsageError: it is elsewhere.
    """
    from rfav_cli import store

    refuse_address(path, "only a local store can be followed", "Leave --watch out.")
    seen: object = None  # and not the state of a store that is not there
    shown: object = ()
    while True:
        state = store.state_of(Path(path))
        if state != seen:
            seen = state
            history = store.open_store(Path(path)) if state else None
            content = (history.checkpoints, history.bad, history.doubts) if history else None
            if content != shown:
                shown = content
                yield history or None
                continue
        time.sleep(interval)
