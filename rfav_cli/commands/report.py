"""Runs to look at: one self-contained page, or what the interactive front-end reads; none of it needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import run_names
from rfav_cli.errors import StoreError, UsageError
from rfav_cli.options import Report, Thresholds, flat

if TYPE_CHECKING:
    from rfav_cli.render.html import PreparedRun


def run(options: Report) -> Path:
    """Write an interactive page on one or more runs; it needs no network and no other file.

    Returns:
        Where the page is.

    Raises:
        StoreError: a store can't be read, or holds no epoch.
        OutputError: the page can't be written there.
        UsageError: no store is given.
    """
    from rfav_cli.files.outputs import Output, check_outputs, write_outputs
    from rfav_cli.render import html as pages
    from rfav_cli.store import held_open
    from rfav_cli.version import __version__

    stores = [Path(path) for path in ([options.paths] if isinstance(options.paths, (str, Path)) else options.paths)]
    out = Path(options.out)
    if not stores:
        raise UsageError("no store is given", "Give the stores that `rfav analyze` wrote.")
    output = Output(out, "rfav report", "choose another --out", pages.is_ours, stores)
    check_outputs([output], force=options.force)
    runs = [
        prepare_run(path, name=name, maps=options.maps, among=len(stores), thresholds=options.thresholds)
        for path, name in zip(stores, run_names(stores), strict=True)
    ]
    with held_open():
        pieces = (piece.encode() for piece in pages.page(runs, __version__))
        write_outputs({output: pieces}, force=options.force)
    return out


report = flat(Report, run)


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
    from rfav_cli.render.html import prepare
    from rfav_cli.render.html.heatmaps import BUDGET

    history = store.open_store(Path(path))
    if not len(history):
        raise StoreError(f"{path}: holds no epoch yet", "Measure a checkpoint first, with `rfav analyze`.")
    verdict = diagnosis.judge(history, thresholds)
    loss = diagnosis.smoothed_loss(history, thresholds)
    return prepare(history, verdict, loss, name=name, maps=maps, budget=BUDGET // among)
