"""Drawing the paper's figures from stores: the one place that knows the store, the verdict and matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.atomic import write_whole
from rfav_cli.commands.open_store import run_names
from rfav_cli.errors import UsageError
from rfav_cli.options import Plot, flat
from rfav_cli.records import Note
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rfav_cli.render.drawing.selection import DrawnRun

FORMATS = ("pdf", "png", "svg")
"""Ends of the names of files that a figure can be written to."""


def run(options: Plot) -> Figure:
    """Draw one of the paper's figures from one store, or from several to compare their runs.

    Returns:
        A matplotlib figure, which shows itself in a notebook; pyplot knows nothing of it.

    Raises:
        StoreError: a store can't be read, or does not hold what the figure shows.
        UsageError: an option does not fit the stores, or the file can't be written.
    """
    from rfav_cli.render.drawing.selection import FigureOptions
    from rfav_cli.render.figures import draw

    suffix = "" if options.out is None else _checked(Path(options.out))
    drawn = FigureOptions(
        layers=tuple(options.layers),
        epochs=options.epochs or "",
        images=options.images or "",
        fraction=options.fraction,
        full_scale=options.full_scale,
        log_counts=options.log_counts,
        colormap=options.colormap,
        width=options.width,
        tell=lambda text: options.report(Note(text)),
    )
    page = draw(options.figure, _subjects(options), drawn)
    if options.out is not None:
        _write(Path(options.out), page.saved(suffix, options.dpi))
    return page


plot = flat(Plot, run)


def _subjects(options: Plot) -> list[DrawnRun]:
    """The runs with their verdicts and names."""
    from rfav_cli import diagnosis
    from rfav_cli.commands.open_store import as_history
    from rfav_cli.records import History
    from rfav_cli.render.drawing.selection import DrawnRun

    stores, names, thresholds = options.stores, options.name, options.thresholds
    several = [stores] if isinstance(stores, (str, Path, History)) else list(stores)
    if not several:
        raise UsageError("no store to draw", "Give at least one.")
    histories = [as_history(store) for store in several]
    if names and len(names) != len(histories):
        raise UsageError(
            f"--name: {len(names)} for {len(histories)} stores", "Give one for each store, in their order."
        )
    return [
        DrawnRun(name, history, diagnosis.judge(history, thresholds), diagnosis.smoothed_loss(history, thresholds))
        for name, history in zip(names or run_names([history.path for history in histories]), histories, strict=True)
    ]


def _checked(path: Path) -> str:
    """The format of a file that is to be written, before any work.

    Raises:
        UsageError: it is none that can be written there.
    """
    end = path.suffix.lower().removeprefix(".")
    if end not in FORMATS:
        raise UsageError(
            f"--out {printable(path)}: not a format that can be written", "Let it end in .pdf, .png or .svg."
        )
    if not path.parent.is_dir():
        raise UsageError(f"--out {printable(path)}: there is no folder {printable(path.parent)}", "Make it first.")
    return end


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole({path: [data]})
    except OSError as error:
        raise UsageError(
            f"--out {printable(path)}: cannot be written ({what_it_says(error)})",
            "Make its folder writable, or choose another --out.",
        ) from None
