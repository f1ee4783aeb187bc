"""Draw the paper's figures: `python -m benchmarks.paper.figures --scale cpu --out DIR [--only a-1] [--into DIR]`.

They are drawn from the logs and stores that the trainings in DIR left behind. A training that is not done is named in
the figure and left out; a figure without any is not drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

from benchmarks.paper.experiments import SCALES
from benchmarks.paper.figure_curves import figure_3, figure_5, figure_6
from benchmarks.paper.figure_heatmaps import figure_a_1
from benchmarks.paper.figure_histograms import figure_7, figure_a_2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

    from benchmarks.paper.experiments import Scale

FIGURES: Mapping[str, Callable[[Scale, Path], Figure | None]] = {
    "3": figure_3,
    "5": figure_5,
    "6": figure_6,
    "7": figure_7,
    "a-1": figure_a_1,
    "a-2": figure_a_2,
}
"""The paper's numbers -> what draws a figure, or gives None where none of its trainings is done."""


def main() -> None:
    """Draw what can be drawn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=[*SCALES], default="cpu")
    parser.add_argument("--out", type=Path, required=True, help="where the trainings are")
    parser.add_argument("--only", choices=[*FIGURES], help="one figure")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent / "figures", help="where pictures go")
    options = parser.parse_args()
    for name in [options.only] if options.only else FIGURES:
        path = options.into / f"{options.scale}-figure-{name}.png"
        drawn = draw(name, SCALES[options.scale], options.out, path)
        print(f"Figure {name}: {path if drawn else 'none of its trainings is done'}")


def draw(name: str, scale: Scale, out: Path, path: Path) -> bool:
    """Draw a figure into a file.

    Args:
        name: in `FIGURES`.
        scale: of the experiments.
        out: where the trainings are.
        path: the picture.

    Returns:
        There was something to draw.
    """
    mpl.use("agg")
    from matplotlib import pyplot

    figure = FIGURES[name](scale, out)
    if figure is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
    return True


if __name__ == "__main__":
    main()
