"""The sheet that figures are drawn on: a matplotlib Figure without pyplot, the same on every machine."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from rfav_cli.errors import UsageError
from rfav_cli.render.drawing.files import METADATA
from rfav_cli.text import CUT, printable, whole

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from os import PathLike
    from typing import IO

    from matplotlib.colors import Colormap

FONT = "DejaVu Sans"
"""Comes with matplotlib, so it is everywhere the same."""
MISSING = "0.88"
"""Colour where there is no number."""
ONSET = "0.35"
"""Colour of the lines at an onset of overfitting."""
LINES: tuple[Any, ...] = (
    "-",
    (0, (4.5, 1.6)),
    (0, (1.1, 1.3)),
    (0, (5, 1.3, 1.1, 1.3)),
    (0, (8, 2)),
    (0, (5, 1.3, 1.1, 1.3, 1.1, 1.3)),
    (0, (1.1, 3)),
    (0, (8, 1.3, 3, 1.3)),
)
"""Line styles of the runs (Figure 5)."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
"""Colours that colour-blind people tell apart, too (after Okabe and Ito)."""

_STYLE: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.2,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # TrueType, which publishers take, and which can be searched
    "svg.fonttype": "path",
    "svg.hashsalt": "rfav",
}


class Page(Figure):
    """A figure that shows itself in notebooks, and looks the same there and in files, whatever a user's settings are.

    It is in no list of pyplot's: nothing has to be closed.
    """

    def savefig(self, fname: str | PathLike[str] | IO[Any], **options: Any) -> None:
        """Write it, as `matplotlib.figure.Figure.savefig` does."""
        with styled():
            super().savefig(fname, **options)

    def saved(self, file_format: str, dpi: int) -> bytes:
        """The bytes of a file.

        Args:
            file_format: a key of `METADATA`.
            dpi: of pixels; in a PDF and an SVG those of the pictures alone.
        """
        data = io.BytesIO()
        self.savefig(data, format=file_format, dpi=dpi, metadata=METADATA[file_format])
        return data.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """How notebooks show it: pixels for sharp screens, at half their size."""
        width, height = (round(side * 100) for side in self.get_size_inches())
        return self.saved("png", 200), {"width": width, "height": height}


def styled() -> AbstractContextManager[None]:
    """The settings that everything is drawn and saved under."""
    own = {"backend", "backend_fallback", "interactive", "toolbar", "timezone", "webagg.port", "webagg.address"}
    plain: dict[Any, Any] = {name: value for name, value in matplotlib.rcParamsDefault.items() if name not in own}
    return matplotlib.rc_context(plain | _STYLE)


def new_page(width: float, height: float, **options: Any) -> Page:
    """An empty page, in inches."""
    page = Page(figsize=(width, height), **options)
    FigureCanvasAgg(page)
    return page


def colormap(name: str) -> Colormap:
    """A colour map by name, grey where there is no number.

    Raises:
        UsageError: matplotlib has none of this name.
    """
    if name not in matplotlib.colormaps:
        raise UsageError(
            f"--colormap {printable(name)}: matplotlib has none of this name",
            "Give one such as YlGnBu (the paper's yellow to blue), viridis, cividis or magma_r.",
        )
    return matplotlib.colormaps[name].with_extremes(bad=MISSING)


def literal(text: str, width: int = 40) -> str:
    """Untrusted text as it may be drawn: what the font has, no mathematics, the end of it where it is too long."""
    safe = "".join(
        char if ord(char) in _glyphs() else char.encode("ascii", "backslashreplace").decode() for char in whole(text)
    )
    short = safe if len(safe) <= width else f"{CUT}{safe[1 - width :]}"
    return short.replace("$", r"\$")


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())


def number_text(value: int) -> str:
    """A whole number with the minus of the axes."""
    return f"{value}".replace("-", "\N{MINUS SIGN}")
