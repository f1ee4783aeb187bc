"""`rfav plot`."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from rfav_cli.cli.options import flag, option
from rfav_cli.cli.output import emit
from rfav_cli.cli.thresholds import with_thresholds
from rfav_cli.records import Note
from rfav_cli.text import printable
from rfav_cli.thresholds import Thresholds

WHAT, HOW = "What is drawn", "How it is drawn"


class FigureName(str, enum.Enum):
    """The figures there are."""

    overview = "overview"
    entropy = "entropy"
    heatmaps = "heatmaps"
    correlation = "correlation"
    loss = "loss"


@with_thresholds
def plot(
    stores: Annotated[
        list[Path], typer.Argument(metavar="STORES", help="Stores of runs to draw together; what `rfav analyze` wrote.")
    ] = [Path("rfav.h5")],  # noqa: B006 - typer never hands it out
    figure: Annotated[
        FigureName,
        option(
            WHAT,
            "overview of the run; or of the paper: entropy (Figure 5), heatmaps (1, 4, A.1), correlation (7, A.2), "
            "loss (3, 6).",
            metavar="NAME",
        ),
    ] = FigureName.overview,
    out: Annotated[
        Path | None,
        option(
            WHAT,
            "Where to: .pdf, .png or .svg; another file there is replaced. FIGURE.pdf by default.",
            "--out",
            "-o",
            metavar="FILE",
        ),
    ] = None,
    layers: Annotated[
        list[str],
        option(WHAT, "Layers to draw; can be repeated. All, or as many as there is room for.", metavar="GLOB"),
    ] = [],  # noqa: B006
    epochs: Annotated[
        str | None,
        option(WHAT, "Epochs to draw: numbers and ranges FIRST:LAST, such as -1,0,5:10.", metavar="EPOCHS"),
    ] = None,
    images: Annotated[
        str | None,
        option(WHAT, "Heatmaps of which images: numbers from 0 on, likewise, or mean.", metavar="IMAGES"),
    ] = None,
    name: Annotated[
        list[str],
        option(HOW, "What to call a run; once for each store, in their order.", metavar="TEXT"),
    ] = [],  # noqa: B006
    fraction: Annotated[
        bool, flag(HOW, "Entropies as a fraction of ln D, not in nats; the overview always has them so.", "--fraction")
    ] = False,
    full_scale: Annotated[
        bool, flag(HOW, "Colours of heatmaps from 0 to ln D, not over what each layer has.", "--full-scale")
    ] = False,
    log_counts: Annotated[
        bool, flag(HOW, "Colours of correlations by the logarithm of the counts.", "--log-counts")
    ] = False,
    colormap: Annotated[
        str, option(HOW, "Colours from low to high, by matplotlib's name; the paper's by default.", metavar="NAME")
    ] = "YlGnBu",
    width: Annotated[
        float | None, option(HOW, "Of the figure in inches; text keeps its size.", metavar="INCHES")
    ] = None,
    dpi: Annotated[int, option(HOW, "Dots per inch of a PNG, and of pictures in a PDF or SVG.", metavar="N")] = 300,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> None:
    """Draw one of the paper's figures from one store, or from several to compare their runs."""
    import rfav_cli

    target = out or Path(f"{figure.value}.pdf")
    rfav_cli.plot(
        stores,
        figure=figure.value,
        out=target,
        layers=layers,
        epochs=epochs,
        images=images,
        name=name,
        fraction=fraction,
        full_scale=full_scale,
        log_counts=log_counts,
        colormap=colormap,
        width=width,
        dpi=dpi,
        thresholds=thresholds,
        report=_tell,
    )
    emit(f"{printable(target, 1000)}: written\n", err=True)


def _tell(note: Note) -> None:
    emit(f"note: {printable(note.text, 2000)}\n", err=True)
