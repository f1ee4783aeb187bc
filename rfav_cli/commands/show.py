"""Describing a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import open_store
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from rfav_cli.records import History
    from rfav_cli.render.base import Screen


def show(
    path: str | Path | History,
    *,
    format: str = "table",  # noqa: A002 - the option's name
    epochs: bool = False,
    screen: Screen | None = None,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> str:
    """Describe a store and judge it: a line a layer, or with `epochs` a line an epoch.

    Args:
        path: the store, or what `open_store` and `analyze` give.
        format: "table", "json", "csv" or "markdown".
        epochs: a row an epoch in place of a row a layer; JSON holds both in any case.
        screen: what the text is for; 80 columns of plain text for None.
        thresholds: where the verdict draws its lines.

    Raises:
        StoreError: it can't be read.
    """
    from rfav_cli import diagnosis
    from rfav_cli.render import render

    history = open_store(path) if isinstance(path, (str, Path)) else path
    return render(history, diagnosis.judge(history, thresholds), format, epochs=epochs, screen=screen)
