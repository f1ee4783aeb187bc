"""Tables of outcomes: methods against plain training and against what they were added to, and each run alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.remedy.results import Outcome

FIGURES = ("best_accuracy", "final_accuracy", "best_loss", "final_loss", "rise")
"""What is compared; of accuracies more is better, of losses less."""
T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 10: 2.23, 15: 2.13, 20: 2.09}
"""Degrees of freedom -> 97.5 % quantile of Student's t."""

Row = dict[str, str]


def t95(freedom: int) -> float:
    """The quantile for so many degrees of freedom, from the next lower that the table has: never too small."""
    return T95[max(each for each in T95 if each <= freedom)]


def pairs(outcomes: list[Outcome], method: str, other: str) -> dict[str, NDArray[np.float64]]:
    """Run -> (seeds, figures) differences of a method from another with the same seed."""
    found: dict[str, list[list[float]]] = {}
    against = {(each.run, each.seed): each for each in outcomes if each.method == other}
    for each in outcomes:
        if each.method == method and (each.run, each.seed) in against:
            base = against[each.run, each.seed]
            found.setdefault(each.run, []).append([getattr(each, name) - getattr(base, name) for name in FIGURES])
    return {run: np.array(rows) for run, rows in found.items()}


def differences(outcomes: list[Outcome], against_source: bool = False, base: str = "plain") -> list[Row]:
    """A row a method: its mean difference, and on how many runs it is worse or better than by chance.

    Args:
        outcomes: of any methods.
        against_source: from what each was added to.
        base: else the method that all are held against.
    """
    rows = []
    for method in methods(outcomes):
        other = method.split("+")[0] if against_source else base
        if method == other or (against_source and ("+" not in method or other == "plain")):
            continue
        found = pairs(outcomes, method, other)
        if not found:
            continue
        means = np.array([values.mean(axis=0) for values in found.values()])
        row = {
            "method": method,
            "against": other,
            "runs": str(len(found)),
            "trainings": str(sum(map(len, found.values()))),
        }
        row |= {name.replace("_", " "): _interval(means[:, index]) for index, name in enumerate(FIGURES)}
        row["accuracy better / worse"] = _beyond_noise(found, "best_accuracy", more_is_better=True)
        row["last loss better / worse"] = _beyond_noise(found, "final_loss", more_is_better=False)
        rows.append(row)
    return rows


def methods(outcomes: list[Outcome]) -> list[str]:
    """Those that there are, as they are told."""
    names = {each.method for each in outcomes}
    order = ["plain", "early stopping", "temperature", "augment", "decay", "dropout", "norm"]
    return [*(each for each in order if each in names), *sorted(names.difference(order), key=lambda n: n.split("+"))]


def noise(found: dict[str, NDArray[np.float64]], figure: str) -> tuple[float, int]:
    """Standard deviation of a difference between seeds, pooled over the runs, and its degrees of freedom."""
    index = FIGURES.index(figure)
    freedom = sum(len(values) - 1 for values in found.values())
    squares = sum(float(((values[:, index] - values[:, index].mean()) ** 2).sum()) for values in found.values())
    return (math.sqrt(squares / freedom), freedom) if freedom else (math.nan, 0)


def _beyond_noise(found: dict[str, NDArray[np.float64]], figure: str, more_is_better: bool) -> str:
    deviation, freedom = noise(found, figure)
    if not freedom:
        return "?"
    index, sign = FIGURES.index(figure), 1 if more_is_better else -1
    limits = {run: t95(freedom) * deviation / math.sqrt(len(values)) for run, values in found.items()}
    gains = {run: sign * float(values[:, index].mean()) for run, values in found.items()}
    better = sum(gains[run] > limits[run] for run in found)
    return f"{better} / {sum(gains[run] < -limits[run] for run in found)}"


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The mean of the runs' differences, and half of its 95 % interval; NaN of one run."""
    if len(values) < 2:
        return float(values.mean()), math.nan
    return float(values.mean()), t95(len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))


def _interval(values: NDArray[np.float64]) -> str:
    mean, half = interval(values)
    return f"{mean:+.3f}" if math.isnan(half) else f"{mean:+.3f} ± {half:.3f}"


def by_run(outcomes: list[Outcome]) -> list[Row]:
    """A row a method, a column a run."""
    rows = []
    for method in methods(outcomes):
        row = {"method": method}
        for run in sorted({each.run for each in outcomes}):
            these = [each for each in outcomes if each.run == run and each.method == method]
            row[run.replace("_", " ")] = _cell(these) if these else ""
        rows.append(row)
    return rows


def _cell(these: list[Outcome]) -> str:
    mean = {name: float(np.mean([getattr(each, name) for each in these])) for name in FIGURES}
    return (
        f"{mean['best_accuracy']:.3f}, {mean['final_accuracy']:.3f}; {mean['best_loss']:.2f} → {mean['final_loss']:.2f}"
    )


def targets(outcomes: list[Outcome]) -> list[Row]:
    """Which layers the recommended recipes penalise, with how many seeds each."""
    rows = []
    for run in sorted({each.run for each in outcomes}):
        row = {"run": run}
        for source in ("plain", "dropout", "norm"):
            named = [each.layers for each in outcomes if each.run == run and each.method == f"{source}+even"]
            counts = {name: sum(name in layers for layers in named) for layers in named for name in layers}
            row[source] = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
        rows += [row] if any(row[source] for source in ("plain", "dropout", "norm")) else []
    return rows


def nothing_to_do(outcomes: list[Outcome]) -> str:
    """The trainings for which nothing was recommended."""
    left = [f"{each.run} {each.method} {each.seed}" for each in outcomes if not each.mended]
    return f"Nothing was recommended, so that the source stands for it: {', '.join(left) or 'none'}."
