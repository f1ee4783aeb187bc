"""Drawing the paper's figures from stores: the one place that knows the store, the verdict and matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.atomic import write_whole
from rfav_cli.commands.names import run_names
from rfav_cli.errors import UsageError
from rfav_cli.text import printable, what_it_says
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from rfav_cli.records import History, Note
    from rfav_cli.render.figures import Subject

FORMATS = ("pdf", "png", "svg")
"""Ends of the names of files that a figure can be written to."""
WIDTHS, DPI = (1.0, 50.0), (10, 2400)
"""Ranges of the width in inches, and of the dots per inch."""


def plot(
    stores: str | Path | History | Sequence[str | Path | History],
    *,
    figure: str = "overview",
    out: str | Path | None = None,
    layers: Sequence[str] = (),
    epochs: str | None = None,
    images: str | None = None,
    name: Sequence[str] = (),
    fraction: bool = False,
    full_scale: bool = False,
    log_counts: bool = False,
    colormap: str = "YlGnBu",
    width: float | None = None,
    dpi: int = 300,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
    report: Callable[[Note], None] = lambda _: None,
) -> Figure:
    """Draw one of the paper's figures from one store, or from several to compare their runs.

    Args:
        stores: paths, or what `open_store` and `analyze` give.
        figure: "overview", "entropy" (Figure 5), "heatmaps" (1, 4, A.1), "correlation" (7, A.2) or "loss" (3, 6).
        out: a file to write, too: .pdf, .png or .svg; another one of this name is replaced.
        layers: globs of the layers to draw; all, or as many as there is room for, where empty.
        epochs: epochs to draw: numbers and ranges FIRST:LAST with commas between them.
        images: of heatmaps: numbers of images from 0 on, likewise, or "mean" for the mean over all.
        name: what to call each run, in their order; by default what their paths do not share.
        fraction: entropies as a fraction of ln D, in place of nats; the overview always has them so.
        full_scale: colours of heatmaps from 0 to ln D, in place of each layer's lowest to highest.
        log_counts: colours of correlations by the logarithm of the counts.
        colormap: a name that matplotlib has, for low to high.
        width: of the figure in inches; its text keeps its size.
        dpi: dots per inch of a PNG, and of the pictures within a PDF or SVG.
        thresholds: of the verdict; `smoothing` is also that of the loss.
        report: is told what the figure leaves out.

    Returns:
        A matplotlib figure, which shows itself in a notebook; pyplot knows nothing of it.

    Raises:
        StoreError: a store can't be read, or does not hold what the figure shows.
        UsageError: an option does not fit the stores, or the file can't be written.
    """
    from rfav_cli.records import Note
    from rfav_cli.render.figures import Options, draw

    end = "" if out is None else _checked(Path(out))
    _check_range("--width", width, WIDTHS, "inches")
    _check_range("--dpi", dpi, DPI, "dots per inch")
    options = Options(
        layers=tuple(layers),
        epochs=epochs or "",
        images=images or "",
        fraction=fraction,
        full_scale=full_scale,
        log_counts=log_counts,
        colormap=colormap,
        width=width,
        tell=lambda text: report(Note(text)),
    )
    page = draw(figure, _subjects(stores, name, thresholds), options)
    if out is not None:
        _write(Path(out), page.saved(end, dpi))
    return page


def _subjects(
    stores: str | Path | History | Sequence[str | Path | History], names: Sequence[str], thresholds: Thresholds
) -> list[Subject]:
    """The runs with their verdicts and names."""
    from rfav_cli import diagnosis
    from rfav_cli.records import History
    from rfav_cli.render.figures import Subject
    from rfav_cli.store import open_store

    several = [stores] if isinstance(stores, (str, Path, History)) else list(stores)
    if not several:
        raise UsageError("no store to draw", "Give at least one.")
    histories = [open_store(Path(each)) if isinstance(each, (str, Path)) else each for each in several]
    if names and len(names) != len(histories):
        raise UsageError(
            f"--name: {len(names)} for {len(histories)} stores", "Give one for each store, in their order."
        )
    return [
        Subject(called, each, diagnosis.judge(each, thresholds), diagnosis.smoothed_loss(each, thresholds))
        for called, each in zip(names or run_names([each.path for each in histories]), histories, strict=True)
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


def _check_range(option: str, value: float | None, limits: tuple[float, float], unit: str) -> None:
    if value is not None and not limits[0] <= value <= limits[1]:
        raise UsageError(
            f"{option} {value!r:.60}: out of range", f"Give a number from {limits[0]:g} to {limits[1]:g} ({unit})."
        )


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole({path: [data]})
    except OSError as error:
        raise UsageError(
            f"--out {printable(path)}: cannot be written ({what_it_says(error)})",
            "Make its folder writable, or choose another --out.",
        ) from None
