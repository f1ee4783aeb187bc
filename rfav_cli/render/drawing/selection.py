"""What is drawn of which runs; nothing here needs matplotlib."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.errors import StoreError, UsageError
from rfav_cli.text import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rfav_cli.records import History, Layer, Verdict

MOST_RUNS = 8
"""Runs that line styles can tell apart."""
LONGEST = 400
"""Characters of a list in a message."""
_PART = re.compile(r"\s*(-?\d{1,9})?\s*(:)?\s*(-?\d{1,9})?\s*", re.ASCII)


@dataclass(frozen=True, eq=False)
class DrawnRun:
    """A run as it is drawn.

    Attributes:
        name: how the figure calls it.
        history: what its store holds.
        verdict: what became of it.
        smoothed: (E,) held-out losses, smoothed over the epochs; NaN where there are none.
    """

    name: str
    history: History
    verdict: Verdict
    smoothed: NDArray[np.float64]

    @property
    def layers(self) -> dict[str, tuple[int, Layer]]:
        """Name -> (number, layer), in forward order."""
        return {layer.name: (index, layer) for index, layer in enumerate(self.history.run.layers)}

    @property
    def onset(self) -> int | None:
        """The epoch of the onset of overfitting, in a run that overfits."""
        finding = self.verdict.run
        return finding.onset.epoch if finding.state == "overfitting" and finding.onset else None


@dataclass(frozen=True)
class FigureOptions:
    """What is drawn, and how.

    Attributes:
        layers: globs of the layers; empty for all, or for a figure with a panel a layer as many as it has room for.
        epochs: numbers and ranges FIRST:LAST, such as "-1,0,5:10"; empty for what the figure chooses.
        images: numbers of images whose heatmaps are kept, or "mean"; empty for what the figure chooses.
        fraction: entropies as a fraction of ln D, in place of nats.
        full_scale: the colours of heatmaps from 0 to ln D, in place of what each layer has.
        log_counts: the colours of the correlation histograms go by the logarithm of the counts.
        colormap: a name that matplotlib has, of low to high.
        width: of the figure in inches; None for the figure's own.
        tell: is told what the figure leaves out.
    """

    layers: Sequence[str] = ()
    epochs: str = ""
    images: str = ""
    fraction: bool = False
    full_scale: bool = False
    log_counts: bool = False
    colormap: str = "YlGnBu"
    width: float | None = None
    tell: Callable[[str], None] = lambda _: None


def chosen_layers(runs: Sequence[DrawnRun], options: FigureOptions, most: int | None = None) -> list[str]:
    """Names of the layers to draw, in the order of the forward: those of the first run, then what others have more.

    Args:
        runs: the runs.
        options: `layers` and `tell` are used.
        most: how many the figure has room for where the user names none.

    Raises:
        UsageError: a glob matches no layer.
        StoreError: the runs have no layers.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.layers))
    if not names:
        raise StoreError(f"{runs[0].history.path}: holds no layers", "Measure some with `rfav analyze`.")
    for glob in options.layers:
        if not any(fnmatchcase(name, glob) for name in names):
            listed = printable(", ".join(names), LONGEST)
            raise UsageError(f"--layers {quoted(glob, 200)} matches no layer", f"The layers are: {listed}.")
    if options.layers:
        return [name for name in names if any(fnmatchcase(name, glob) for glob in options.layers)]
    if most is None or len(names) <= most:
        return names
    options.tell(f"{most} of {len(names)} layers are drawn, evenly from first to last; --layers chooses others")
    return [names[index] for index in np.linspace(0, len(names) - 1, most).round().astype(int)]


def chosen_epochs(runs: Sequence[DrawnRun], options: FigureOptions, most: int | None = None) -> list[int]:
    """The epochs to draw, ascending.

    Args:
        runs: the runs.
        options: `epochs` is used.
        most: how many the figure has room for where the user names none; first, last and the onsets of overfitting
            are among them.

    Raises:
        UsageError: `epochs` is no list of numbers and ranges, or names an epoch that no run has.
        StoreError: a run has no epochs.
    """
    for run in runs:
        if not len(run.history):
            raise StoreError(f"{run.history.path}: holds no epochs yet", "Wait for the first one.")
    measured = sorted({int(epoch) for run in runs for epoch in run.history.epochs})
    if options.epochs:
        return _in_list("--epochs", options.epochs, measured, unit_of(runs))
    if most is None or len(measured) <= most:
        return measured
    shown = np.linspace(0, len(measured) - 1, most).round().astype(int)
    for onset in {run.onset for run in runs if run.onset is not None}:
        nearest = 1 + int(np.argmin(np.abs(shown[1:-1] - measured.index(onset))))  # first and last stay
        shown[nearest] = measured.index(onset)
    return [measured[index] for index in sorted(set(shown.tolist()))]


def unit_of(runs: Sequence[DrawnRun]) -> str:
    """What the checkpoints are counted by, as an axis says it; both where runs that are drawn together differ."""
    return " or ".join(sorted({run.history.unit for run in runs}))


def chosen_images(runs: Sequence[DrawnRun], options: FigureOptions) -> list[int | None]:
    """Numbers of the images whose heatmaps to draw; None for the mean over all of them.

    Raises:
        UsageError: `images` is no list of numbers and ranges, or names an image that a run keeps no heatmaps of.
    """
    count = min(images_kept(run.history) for run in runs)
    if options.images.strip().lower() == "mean":
        return [None]
    if options.images:
        if not count:
            raise UsageError("--images: no heatmaps of single images are kept (`--maps 0`)", "Give --images mean.")
        return list(_in_list("--images", options.images, list(range(count)), "image"))
    return [0] if count else [None]


def images_kept(history: History) -> int:
    """M, of how many images the store has heatmaps in every layer."""
    layers = range(len(history.run.layers))
    counts = [
        history.columns[name].shape[1] if (name := f"entropy/map/{index}") in history.columns else 0 for index in layers
    ]
    return min(counts, default=0)


def _in_list(option: str, text: str, numbers: list[int], noun: str) -> list[int]:
    """Those of a list of numbers that a text names, by numbers and ranges."""
    chosen: set[int] = set()
    span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or not any(match.groups()) or bool(match[2]) < bool(match[1] and match[3]):
            raise UsageError(
                f"{option} {printable(text)}: {printable(part)!r} is neither a number nor a range FIRST:LAST",
                f"Give numbers and ranges with commas between them; there are {noun}s {span}.",
            )
        first, last = (int(side) if side else None for side in (match[1], match[3]))
        if not match[2]:
            last = first
        named = {n for n in numbers if (first is None or n >= first) and (last is None or n <= last)}
        if not named:
            raise UsageError(f"{option} {printable(text)}: there is no {noun} {part.strip()}", f"There are {span}.")
        chosen |= named
    return sorted(chosen)
