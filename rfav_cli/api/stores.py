"""Looking at stores, and at the machine; none of it needs torch but `examine`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from rfav_cli.records import Finding, History
    from rfav_cli.render.base import Screen


def open_store(path: str | Path) -> History:
    """Read a store, also one that is still being written; heatmaps are read from the file on use.

    Raises:
        StoreError: there is none, or it is no store that this version reads.
    """
    from rfav_cli import store

    return store.open_store(Path(path))


def pack(path: str | Path) -> History:
    """Put the epochs that lie in files of their own beside a store into the store.

    Raises:
        StoreError: there is no store, or it can't be written; nothing that was committed is lost.
    """
    from rfav_cli import store

    return store.pack(Path(path))


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


def examine(folder: str | Path = ".") -> tuple[Finding, ...]:
    """Look at what the machine has: Python, torch, devices, extras, and whether a store can be written in a folder."""
    from rfav_cli.analysis import doctor

    return doctor.examine(Path(folder))
