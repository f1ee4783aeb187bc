"""Runs to look at: one self-contained page, or what the interactive front-end reads; none of it needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.names import run_names
from rfav_cli.errors import StoreError, UsageError
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.render.report import PreparedRun


def report(
    paths: str | Path | Sequence[str | Path],
    *,
    out: str | Path = "report.html",
    maps: int = 32,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> Path:
    """Write an interactive page on one or more runs; it needs no network and no other file.

    Args:
        paths: the stores, the one that is shown first first.
        out: where to write the page; another report there is replaced, but nothing else.
        maps: of how many images of each store the heatmaps are shown.
        thresholds: of the verdicts.

    Returns:
        Where the page is.

    Raises:
        StoreError: a store can't be read, or holds no epoch.
        ReportError: the page can't be written there.
        UsageError: no store is given, or `maps` is below 0.
    """
    from rfav_cli.render import report as pages
    from rfav_cli.store import held_open
    from rfav_cli.version import __version__

    stores = [Path(each) for each in ([paths] if isinstance(paths, (str, Path)) else paths)]
    if not stores:
        raise UsageError("no store is given", "Give the stores that `rfav analyze` wrote.")
    if maps < 0:
        raise UsageError(f"--maps: {maps} is below 0", "Give how many images to show, or 0.")
    pages.check_place(Path(out))
    runs = [
        prepare_run(path, name=name, maps=maps, among=len(stores), thresholds=thresholds)
        for path, name in zip(stores, run_names(stores), strict=True)
    ]
    with held_open():
        pages.write(Path(out), pages.page(runs, __version__))
    return Path(out)


def prepare_run(
    path: str | Path,
    *,
    name: str,
    maps: int = 32,
    among: int = 1,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> PreparedRun:
    """Make a store ready for the front-end: a manifest, and blocks that are packed on use.

    Args:
        path: the store; it may still be written.
        name: what the run is called beside others.
        maps: of how many images the heatmaps are shown.
        among: how many runs share the room that there is for heatmaps.
        thresholds: of the verdict.

    Raises:
        StoreError: the store can't be read, or holds no epoch.
    """
    from rfav_cli import diagnosis, store
    from rfav_cli.render.report import prepare
    from rfav_cli.render.report.heatmaps import BUDGET

    history = store.open_store(Path(path))
    if not len(history):
        raise StoreError(f"{path}: holds no epoch yet", "Measure a checkpoint first, with `rfav analyze`.")
    verdict = diagnosis.judge(history, thresholds)
    loss = diagnosis.smoothed_loss(history, thresholds)
    return prepare(history, verdict, loss, name=name, maps=maps, budget=BUDGET // among)
