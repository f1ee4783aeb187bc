"""`rfav report`."""

from pathlib import Path
from typing import Annotated

import typer

from rfav_cli.cli.output import emit
from rfav_cli.cli.thresholds import with_thresholds
from rfav_cli.thresholds import Thresholds


@with_thresholds
def report(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="STORES", help="The stores that `rfav analyze` wrote; several runs share one page."),
    ] = [Path("rfav.h5")],  # noqa: B006 - typer takes it for a default, nobody changes it
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The page to write; another report there is replaced.")
    ] = Path("report.html"),
    maps: Annotated[
        int,
        typer.Option(
            help="Show heatmaps of this many images of each store (0: the mean heatmaps alone).", metavar="N", min=0
        ),
    ] = 32,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> None:
    """Write an interactive page on one or more runs; it opens from the disk, without a network."""
    import rfav_cli
    from rfav_cli.text import printable

    written = rfav_cli.report(paths, out=out, maps=maps, thresholds=thresholds)
    emit(f"{printable(written, 1000)}: written, {written.stat().st_size / 1e6:.1f} MB\n", err=True)
