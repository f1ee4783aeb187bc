"""`rfav report`."""

from __future__ import annotations

from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Report

EXAMPLES = ("rfav report rfav.h5", "rfav report before.h5 after.h5 --out both.html")


@takes(Report)
def report(options: Report) -> None:
    """Write an interactive page on one or more runs; it opens from the disk, without a network."""
    from rfav_cli.commands.report import run
    from rfav_cli.text import printable

    written = run(options)
    emit(f"{printable(written, 1000)}: written, {written.stat().st_size / 1e6:.1f} MB\n", err=True)
