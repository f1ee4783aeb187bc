"""The options of what reads stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli.options.field import Options, group, keyword, option, required
from rfav_cli.options.groups import (
    Judging,
    unheard,
)
from rfav_cli.options.panels import (
    DRAWN,
    FIGURE,
    PENALTIES,
    WRITTEN,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rfav_cli.records import History


@group
class Written(Options):
    """What becomes of a file that is in the place of one that is to be written."""

    force: bool = option(
        default=False,
        help="Replace a file that this command did not write, too; never a store, nor what the command reads.",
        panel=WRITTEN,
        from_project="never",
    )


@group
class StorePath(Options):
    """The store of a command that reads one."""

    path: str | Path | History = option(
        default="rfav.h5", help="The store that `rfav analyze` wrote.", kind=Path, metavar="STORE", kw_only=False
    )


@group
class Show(StorePath, Judging):
    """What `show` takes."""


@group
class Judge(Judging):
    """What `judge` takes."""

    store: str | Path | History = required(help="The store, by its path or as it was read.", kw_only=False)


@group
class Report(Written, Judging):
    """What `report` takes."""

    paths: str | Path | Sequence[str | Path] = option(
        default="rfav.h5",
        help="The stores that `rfav analyze` wrote; several runs share one page, the first is shown first.",
        kind=Path,
        metavar="STORES",
        several=True,
        kw_only=False,
    )
    out: str | Path = option(
        default="report.html",
        help="The page to write; another report there is replaced.",
        names=("--out", "-o"),
        kind=Path,
        panel=WRITTEN,
        metavar="FILE",
        from_project="inside",
    )
    maps: int = option(
        default=32,
        help="Show heatmaps of this many images of each store (0: the mean heatmaps alone).",
        panel=WRITTEN,
        unit="images",
        low=0,
        metavar="N",
    )


@group
class Plot(Written, Judging):
    """What `plot` takes."""

    stores: str | Path | History | Sequence[str | Path | History] = option(
        default="rfav.h5",
        help="Stores of runs to draw together; what `rfav analyze` wrote.",
        kind=Path,
        metavar="STORES",
        several=True,
        kw_only=False,
    )
    figure: str = option(
        default="overview",
        help="What to draw: an overview of the run; or of the paper: entropy (Figure 5), heatmaps (1, 4, A.1), "
        "correlation (7, A.2), loss (3, 6).",
        panel=FIGURE,
        choices="rfav_cli.render.figures:FIGURES",
        metavar="NAME",
    )
    out: str | Path | None = option(
        default=None,
        help="Where to: .pdf, .png or .svg; another figure there is replaced. FIGURE.pdf by default.",
        names=("--out", "-o"),
        kind=Path,
        panel=FIGURE,
        metavar="FILE",
        from_project="inside",
    )
    layers: Sequence[str] = option(
        default=(),
        help="Layers to draw; can be repeated. All, or as many as there is room for.",
        panel=FIGURE,
        metavar="GLOB",
        several=True,
    )
    epochs: str | None = option(
        default=None,
        help="Epochs to draw: numbers and ranges FIRST:LAST, such as -1,0,5:10.",
        panel=FIGURE,
        metavar="EPOCHS",
    )
    images: str | None = option(
        default=None,
        help="Heatmaps of which images: numbers from 0 on, likewise, or mean.",
        panel=FIGURE,
        metavar="IMAGES",
    )
    name: Sequence[str] = option(
        default=(),
        help="What to call a run; once for each store, in their order.",
        panel=DRAWN,
        metavar="TEXT",
        several=True,
    )
    fraction: bool = option(
        default=False,
        help="Entropies as a fraction of ln D, not in nats; the overview always has them so.",
        panel=DRAWN,
    )
    full_scale: bool = option(
        default=False, help="Colours of heatmaps from 0 to ln D, not over what each layer has.", panel=DRAWN
    )
    log_counts: bool = option(
        default=False, help="Colours of correlations by the logarithm of the counts.", panel=DRAWN
    )
    colormap: str = option(
        default="YlGnBu",
        help="Colours from low to high, by matplotlib's name; the paper's by default.",
        panel=DRAWN,
        metavar="NAME",
    )
    width: float | None = option(
        default=None,
        help="Width of the figure; text keeps its size.",
        kind=float,
        panel=DRAWN,
        unit="inches",
        low=1,
        high=50,
        metavar="INCHES",
    )
    dpi: int = option(
        default=300,
        help="Resolution of a PNG, and of pictures in a PDF or SVG.",
        panel=DRAWN,
        unit="dots per inch",
        low=10,
        high=2400,
        metavar="N",
    )
    report: Callable[[Any], None] = keyword(default=unheard, help="Is told what the figure skips.")


@group
class Compare(Judging):
    """What `compare` takes."""

    path_a: str | Path | History = required(
        help="The store of one run, such as the one before; differences are B - A.",
        kind=Path,
        metavar="A",
        kw_only=False,
    )
    path_b: str | Path | History = required(
        help="The store of the other, such as after a retraining.", kind=Path, metavar="B", kw_only=False
    )


@group
class RuleOfLambda(Options):
    """How lambda follows from a layer."""

    rule: str | None = option(
        default=None,
        help="lambda: 0.3 / positions, so that each layer weighs the same (even, the default where it is advised); "
        "0.09 / positions at first, then as much as it takes for the net to be no surer of validation samples than "
        "right (adaptive, the default elsewhere); 0.001 for every layer (paper); that, or more where a layer has few "
        "positions (balanced).",
        panel=PENALTIES,
        choices="rfav_cli.records:RULES",
        metavar="RULE",
    )
    anyway: bool = option(
        default=False,
        help="Penalise the layers also where that is not advised; a warning says what it did on such nets.",
        panel=PENALTIES,
    )
    signed: bool = option(
        default=False,
        help="Weigh the signed sum of the correlations with kappa, as Eq. 7 is printed, and not that of their squares.",
        panel=PENALTIES,
    )


@group
class Recommend(StorePath, RuleOfLambda, Written, Judging):
    """What `recommend` takes."""

    out: str | Path | None = option(
        default=None,
        help="Write the recipe, too; another recipe there is replaced.",
        names=("--out", "-o"),
        kind=Path,
        panel=WRITTEN,
        metavar="FILE",
        from_project="inside",
    )


@group
class Pack(Options):
    """What `pack` takes."""

    path: str | Path = required(
        help="The store; its epochs may lie in STORE.d/.",
        kind=Path,
        metavar="STORE",
        kw_only=False,
        from_project="inside",
    )


@group
class Doctor(Options):
    """What `doctor` takes."""

    place: str | Path = option(
        default=".",
        help="A folder where a store is to be written, or a store to be verified.",
        kind=Path,
        metavar="FOLDER|STORE",
        kw_only=False,
        from_project="inside",
    )
