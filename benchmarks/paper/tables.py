"""The paper's tables beside the measured ones: `python -m benchmarks.paper.tables [--out DIR] [--readme]`.

Without `--out` the figures kept in `results/` are shown; with it those of the trainings in DIR. `--readme` keeps these,
and puts the tables into the README beside this file.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.truth import onset_by_loss
from benchmarks.pages import put, table
from benchmarks.paper import published, results
from benchmarks.paper.experiments import (
    DATA,
    OTHER_ROWS,
    ROWS,
    SCALES,
    Cell,
    Column,
    Row,
    Scale,
    cells,
    of_column,
    of_figure_6,
    of_other,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.paper.results import Curve

README = Path(__file__).parent / "README.md"
NOT_RUN, NOT_HERE = "not run", "not of this scale"

Curves = dict[str, "Curve"]


def main() -> None:
    """Print the tables of a scale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=[*SCALES], default="cpu")
    parser.add_argument("--out", type=Path, help="where the trainings are")
    parser.add_argument("--readme", action="store_true", help="keep the figures, and put the tables into the README")
    options = parser.parse_args()
    scale = SCALES[options.scale]
    document = results.gather(options.out, cells(scale)) if options.out else results.load(scale.name)
    text = render(scale, document)
    print(text)
    if options.readme:
        results.save(scale.name, document)
        put(README, f"--scale {scale.name}", text)


def render(scale: Scale, document: Mapping[str, Any]) -> str:
    """All tables of a scale, as Markdown."""
    curves = results.curves(document)
    parts = [
        _title("Table 2: best validation accuracy", scale),
        table_2(scale, curves) + "\n",
        "### What Table 2 gains over vanillaNet\n",
        gains(scale, curves) + "\n",
        "### Held-out loss, lowest → last, and the epoch of the lowest where the run overfits\n",
        losses(scale, curves) + "\n",
        _title("Table 3: best validation accuracy", scale),
        table_3(scale, curves) + "\n",
        f"### Figure 6: {scale.long} epochs, seed {scale.seeds[0]}\n",
        figure_6(scale, curves) + "\n",
        run_or_not(scale, document),
    ]
    return "\n".join(parts)


def _title(text: str, scale: Scale) -> str:
    return f"### {text} in {scale.epochs} epochs\n"


def table_2(scale: Scale, curves: Curves) -> str:
    """Mean and spread of each cell, the paper's beside it."""

    def measured(row: Row, column: Column) -> str:
        return _accuracy(of_column(scale, column, row), curves)

    def paper(row: Row, column: Column) -> str:
        return f"{published.best_accuracy(row.name, column.published):.4f}"

    return _pairs(scale, measured, paper)


def gains(scale: Scale, curves: Curves) -> str:
    """By how much the accuracy is above that of vanillaNet with the same seed."""

    def measured(row: Row, column: Column) -> str:
        pairs = zip(of_column(scale, column, row), of_column(scale, column, ROWS[0]), strict=True)
        found = [(_best(cell, curves), _best(plain, curves)) for cell, plain in pairs]
        return _mean([a - b for a, b in found if a is not None and b is not None], len(scale.seeds), sign="+")

    def paper(row: Row, column: Column) -> str:
        plain = published.best_accuracy(ROWS[0].name, column.published)
        return f"{published.best_accuracy(row.name, column.published) - plain:+.4f}"

    return _pairs(scale, measured, paper, ROWS[1:])


def losses(scale: Scale, curves: Curves) -> str:
    """How far the held-out loss fell, where it ended, and what the paper says of the xxl nets."""
    head = ["net", *(_heading(column) for column in scale.columns), "paper, cifar-100 xxl"]
    return table(
        head,
        [
            [row.name, *(_course(of_column(scale, column, row), curves) for column in scale.columns), _words(row)]
            for row in ROWS
        ],
    )


def table_3(scale: Scale, curves: Curves) -> str:
    """LeNet and AlexNet, without and with regularisation."""
    head = ["data"]
    for row in OTHER_ROWS:
        head += [f"{row.name} {'with' if row.recipe else 'without'}", "paper"]
    rows = []
    for data in DATA:
        rows.append([data])
        for row in OTHER_ROWS:
            here = row in scale.others
            rows[-1].append(_accuracy(of_other(scale, data, row), curves) if here else NOT_HERE)
            rows[-1].append(f"{published.TABLE_3[data][row.name][bool(row.recipe)]:.4f}")
    return table(head, rows)


def figure_6(scale: Scale, curves: Curves) -> str:
    """The long trainings."""
    rows = []
    for cell in of_figure_6(scale):
        best = f"{published.FIGURE_6_BEST:.4f}" if cell.row.name == "sr3Net" else ""
        rows.append([cell.row.name, _course([cell], curves), _accuracy([cell], curves), best])
    return table(["net", "held-out loss", "best accuracy", "paper, xxl"], rows)


def run_or_not(scale: Scale, document: Mapping[str, Any]) -> str:
    """How many trainings there are, and which of them are not done."""
    curves, every = results.curves(document), cells(scale)
    partial = {
        cell.name: f"{cell.name} ({len(curves[cell.name].loss) - 1} of {cell.epochs} epochs)"
        for cell in reversed(every)  # the shorter of two trainings in one folder comes first
        if cell.name in curves and curves[cell.name].until(cell.epochs) is None
    }
    done = sum(_curve(cell, curves) is not None for cell in every)
    machines = "; ".join(
        f"torch {each['torch']}, {each['device']} ({each['processor']})" for each in document["machines"]
    )
    lines = [f"{done} of {len(every)} trainings are done."]
    if partial:
        lines.append(f"Begun: {', '.join(sorted(partial.values()))}.")
    if machines:
        lines.append(f"Trained with {machines}.")
    return "\n".join(lines) + "\n"


def _pairs(scale: Scale, measured: Any, paper: Any, rows: Sequence[Row] = ROWS) -> str:
    """A table in the layout of Table 2, each column with the paper's at its right."""
    head = ["net"]
    for column in scale.columns:
        head += [_heading(column), f"paper, {column.published[1]}"]
    body = []
    for row in rows:
        body.append([row.name])
        for column in scale.columns:
            body[-1] += [measured(row, column), paper(row, column)]
    return table(head, body)


def _heading(column: Column) -> str:
    return f"{column.data} {column.size}" + (" (Adam)" if column.optimizer == "adam" else "")


def _curve(cell: Cell, curves: Curves) -> Curve | None:
    return curves[cell.name].until(cell.epochs) if cell.name in curves else None


def _best(cell: Cell, curves: Curves) -> float | None:
    curve = _curve(cell, curves)
    return None if curve is None else float(curve.accuracy.max())


def _accuracy(seeds: Sequence[Cell], curves: Curves) -> str:
    found = (_best(cell, curves) for cell in seeds)
    return _mean([value for value in found if value is not None], len(seeds))


def _mean(values: Sequence[float], wanted: int, sign: str = "") -> str:
    """Mean and standard deviation over seeds, and of how many where not of all."""
    if not values:
        return NOT_RUN
    text = f"{np.mean(values):{sign}.4f}"
    if len(values) > 1:
        text += f" ± {np.std(values, ddof=1):.4f}"
    return text if len(values) == wanted else f"{text} ({len(values)} of {wanted} seeds)"


def _course(seeds: Sequence[Cell], curves: Curves) -> str:
    found = [curve for cell in seeds if (curve := _curve(cell, curves)) is not None]
    if not found:
        return NOT_RUN
    lowest, last = (np.mean([of(curve.loss) for curve in found]) for of in (np.min, lambda loss: loss[-1]))
    onsets = [onset for curve in found if (onset := onset_by_loss(curve.epochs, curve.loss)) is not None]
    overfits = f" (from {', '.join(map(str, onsets))})" if onsets else ""
    return f"{lowest:.3f} → {last:.3f}{overfits}"


def _words(row: Row) -> str:
    epoch = published.OVERFITS_FROM[row.name]
    return "does not overfit" if epoch is None else f"overfits from {epoch}"


if __name__ == "__main__":
    main()
