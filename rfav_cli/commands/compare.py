"""Comparing two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import open_store
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.render.base import Screen


def compare(
    path_a: str | Path,
    path_b: str | Path,
    *,
    format: str = "table",  # noqa: A002 - the option's name
    screen: Screen | None = None,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> str:
    """Compare two runs, such as before and after a retraining: held-out loss and accuracy, and each layer by its name.

    Args:
        path_a: the store of one run; differences are B - A.
        path_b: the store of the other.
        format: "table" or "json".
        screen: what the text is for; 80 columns of plain text for None.
        thresholds: of the verdicts on both.

    Raises:
        StoreError: one can't be read.
    """
    from rfav_cli import diagnosis
    from rfav_cli.render import render_comparison

    compared = diagnosis.compare(open_store(path_a), open_store(path_b), thresholds)
    return render_comparison(compared, format, screen=screen)
