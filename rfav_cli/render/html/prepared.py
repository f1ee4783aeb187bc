"""A run as the front-end reads it: a manifest that says all in words and small numbers, and blocks of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfav_cli.render.base import finite_or_none
from rfav_cli.render.document import show_document
from rfav_cli.render.html.figures import figure_blocks
from rfav_cli.render.html.heatmaps import BUDGET, heatmap_blocks, image_blocks
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rfav_cli.records import History, Verdict
    from rfav_cli.render.html.blocks import Block

LONGEST = 500
"""Characters of a name, a path or a reason."""


@dataclass(frozen=True, eq=False)
class PreparedRun:
    """A run for the front-end.

    Attributes:
        manifest: JSON that `docs/frontend.md` describes.
        blocks: name -> array; those of heatmaps are read from the store when they are packed.
    """

    manifest: Mapping[str, Any]
    blocks: Mapping[str, Block]


def prepare(
    history: History,
    verdict: Verdict,
    smoothed_loss: NDArray[Any],
    *,
    name: str,
    maps: int = 32,
    budget: int = BUDGET,
) -> PreparedRun:
    """Make a run ready to be shown.

    Args:
        history: what its store holds.
        verdict: what became of it.
        smoothed_loss: (E,) held-out losses as the verdict smooths them, NaN where there are none.
        name: what it is called beside others.
        maps: of how many images the heatmaps are shown, at most.
        budget: bytes of heatmaps before they are deflated; to keep it, epochs and then images are left out.
    """
    onset = verdict.run.onset
    onsets = [row for row, epoch in enumerate(history.epochs) if onset and epoch == onset.epoch]
    heatmaps = heatmap_blocks(history, maps, budget, onsets)
    shown = next((block.shape[1] for name, block in heatmaps.items() if name.startswith("map/")), 0)
    blocks = figure_blocks(history, onsets) | heatmaps | image_blocks(history, shown)
    labels = history.run.probe.labels
    stored = [column.shape[1] for name, column in history.columns.items() if name.startswith("entropy/map/")]
    manifest = {
        "name": name,
        "revision": history.digest,
        "document": show_document(history, verdict),
        "smoothed_loss": [finite_or_none(value) for value in smoothed_loss],
        "positions": [list(layer.positions) for layer in history.run.layers],
        "images": {
            "shown": shown,
            "kept": max(stored, default=0),
            "labels": None if labels is None or labels.ndim > 1 else [_as_number(label) for label in labels[:shown]],
        },
        "blocks": {name: block.describe() for name, block in blocks.items()},
    }
    return PreparedRun(_legible(manifest), blocks)


def _as_number(label: Any) -> int | float:
    """A class, or a value in four digits."""
    return float(f"{label:.4g}") if label.dtype.kind == "f" else int(label)


def _legible(value: Any) -> Any:
    """The same with all texts, which come from files, free of what steers a terminal or turns the direction of text."""
    if isinstance(value, str):
        return printable(value, LONGEST)
    if isinstance(value, dict):
        return {key: _legible(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_legible(item) for item in value]
    return value
