"""The reliability diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MARKERS = "os^v"


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Draw how often runs overfit against how sure the verdict is that they do; the area of a mark is its runs."""
    mpl.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.5, 4.0), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="perfect")
    for marker, (name, found) in zip(MARKERS, document["reliability"].items(), strict=False):
        stated, frequency, counts = ([each[key] for each in found["bins"]] for key in ("stated", "frequency", "count"))
        axes.scatter(stated, frequency, [15 * count for count in counts], marker=marker, alpha=0.6, label=name)
    axes.set_xlabel("stated probability that the run overfits")
    axes.set_ylabel("share of those runs that do")
    axes.set_title(f"{document['runs']} {document['half']} runs", fontsize=10)
    axes.legend(fontsize=8, loc="upper left", markerscale=0.5)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
