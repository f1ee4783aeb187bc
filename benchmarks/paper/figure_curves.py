"""Figures 3, 5 and 6: losses and entropies along the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.detection.truth import SIGMA, onset_by_loss
from benchmarks.paper import results
from benchmarks.paper.experiments import ROWS, of_figure, of_figure_6
from rfav_cli.diagnosis.curves import smoothed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from benchmarks.paper.experiments import Cell, Scale
    from benchmarks.paper.results import Curve

STYLES: Mapping[str, tuple[str, str]] = {
    "vanillaNet": ("tab:red", "-"),
    "dropNet": ("tab:orange", "--"),
    "normNet": ("tab:green", "-."),
    "sr1Net": ("tab:cyan", ":"),
    "sr2Net": ("tab:blue", (0, (5, 1))),  # type: ignore[dict-item]
    "sr3Net": ("tab:purple", (0, (3, 1, 1, 1))),  # type: ignore[dict-item]
}
"""Colour and line of each net, the same in all figures."""

OF_FIGURE_5 = ("vanillaNet", "dropNet", "normNet", "sr1Net")


def figure_3(scale: Scale, out: Path) -> Figure | None:
    """Held-out losses of all nets, a panel a size."""
    panels = [[of_figure(scale, row.name, size=size) for row in ROWS] for size in scale.sizes]
    found = [_done(cells, out) for cells in panels]
    if not any(found):
        return None
    figure, axes = _panels(len(panels), width=4.2)
    for letter, size, cells, curves, each in zip("abc", scale.sizes, panels, found, axes, strict=False):
        _losses(each, cells, curves)
        each.set_title(f"({letter}) {scale.figures[0]}, size {size}", fontsize=10)
    axes[0].set_ylabel("held-out cross-entropy in nats")
    return figure


def figure_6(scale: Scale, out: Path) -> Figure | None:
    """Held-out losses of the long trainings."""
    cells = of_figure_6(scale)
    curves = _done(cells, out)
    if not curves:
        return None
    figure, (axes,) = _panels(1, width=6.0)
    _losses(axes, cells, curves)
    axes.set_title(f"{' '.join(scale.figures)}, {scale.long} epochs", fontsize=10)
    axes.set_ylabel("held-out cross-entropy in nats")
    return figure


def figure_5(scale: Scale, out: Path) -> Figure | None:
    """Mean entropies, a panel a layer; a vertical line where a net begins to overfit."""
    import rfav_cli

    cells = [of_figure(scale, name) for name in OF_FIGURE_5]
    curves = _done(cells, out)
    if not curves:
        return None
    histories = {name: rfav_cli.open_store(out / name / "rfav.h5") for name in curves}
    layers = next(iter(histories.values())).run.layers
    figure, axes = _panels(len(layers), width=2.9)
    for number, (layer, each) in enumerate(zip(layers, axes, strict=True)):
        for cell in cells:
            if cell.name not in curves:
                continue
            colour, line = STYLES[cell.row.name]
            history, curve = histories[cell.name], curves[cell.name]
            shown = history.epochs < cell.epochs
            style: dict[str, Any] = {"color": colour, "linestyle": line}
            each.plot(history.epochs[shown], history.entropy[shown, number], label=cell.row.name, **style)
            onset = onset_by_loss(curve.epochs, curve.loss)
            if onset is not None:
                each.axvline(onset, linewidth=1, **style)
        each.set_title(f"{layer.name}, {layer.channels} channels", fontsize=10)
        each.set_ylim(0, 1.05 * layer.max_entropy)
        each.set_xlabel("epoch")
    axes[0].set_ylabel("mean entropy in nats")
    figure.suptitle(" ".join(scale.figures), fontsize=10)
    _say_what_is_missing(axes[0], cells, curves)
    axes[0].legend(fontsize=8)
    return figure


def _done(cells: Sequence[Cell], out: Path) -> dict[str, Curve]:
    """The curves of those that have all their epochs, by name, and no longer than these."""
    found = {cell.name: (results.read(out, cell), cell.epochs) for cell in cells}
    curves = {name: curve.until(epochs) for name, (curve, epochs) in found.items() if curve is not None}
    return {name: curve for name, curve in curves.items() if curve is not None}


def _panels(count: int, width: float) -> tuple[Figure, Any]:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, count, figsize=(width * count, 3.4), layout="constrained", squeeze=False)
    return figure, axes[0]


def _losses(axes: Any, cells: Sequence[Cell], curves: Mapping[str, Curve]) -> None:
    """The smoothed losses of nets; that before training is left out, since it would be smeared over the next."""
    for cell in cells:
        if cell.name in curves:
            colour, line = STYLES[cell.row.name]
            curve = curves[cell.name]
            axes.plot(
                curve.epochs[1:],
                smoothed(curve.epochs[1:], curve.loss[1:], SIGMA),
                color=colour,
                linestyle=line,
                label=cell.row.name,
            )
    axes.set_xlabel("epoch")
    _say_what_is_missing(axes, cells, curves)
    if curves:
        axes.legend(fontsize=8)
    else:
        axes.set(xticks=[], yticks=[])


def _say_what_is_missing(axes: Any, cells: Sequence[Cell], curves: Mapping[str, Curve]) -> None:
    missing = [cell.row.name for cell in cells if cell.name not in curves]
    if missing:
        text = f"not run: {', '.join(missing)}"
        axes.text(0.5, 1.12, text, transform=axes.transAxes, ha="center", fontsize=7, color="0.4")
