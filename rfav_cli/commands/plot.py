"""Drawing the paper's figures from stores: the one place that knows the store, the verdict and matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import run_names
from rfav_cli.errors import UsageError
from rfav_cli.files.outputs import Output, check_outputs, write_outputs
from rfav_cli.options import Plot, flat
from rfav_cli.records import Note
from rfav_cli.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rfav_cli.render.drawing.selection import DrawnRun


def run(options: Plot) -> Figure:
    """Draw one of the paper's figures from one store, or from several to compare their runs.

    Returns:
        A matplotlib figure, which shows itself in a notebook; pyplot knows nothing of it.

    Raises:
        StoreError: a store can't be read, or does not hold what the figure shows.
        UsageError: an option does not fit the stores.
        OutputError: the file can't be written there.
    """
    from rfav_cli.render.drawing.selection import FigureOptions
    from rfav_cli.render.figures import draw

    outputs = [] if options.out is None else [_output(Path(options.out), options.stores)]
    check_outputs(outputs, force=options.force)
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
    contents = {output: [page.saved(_format(output.path), options.dpi)] for output in outputs}
    write_outputs(contents, force=options.force)
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


def _output(path: Path, stores: object) -> Output:
    """The file that is to be written.

    Raises:
        UsageError: it is of no format that can be written.
    """
    from rfav_cli.render.drawing.files import MARKS

    if _format(path) not in MARKS:
        raise UsageError(
            f"--out {printable(path)}: not a format that can be written", "Let it end in .pdf, .png or .svg."
        )
    return Output(path, "rfav plot", "choose another --out", MARKS[_format(path)], [stores])


def _format(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")
