"""What the advice of a verdict says of remedies, from the committed figures of the reporting runs.

`python -m benchmarks.remedy.record` prints the table of `rfav_cli/diagnosis/remedy_record.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.remedy.adaptive.score import gains
from benchmarks.remedy.score import HERE, load
from benchmarks.remedy.tables import FIGURES, pairs, t95
from rfav_cli.diagnosis.remedy_record import ACCURACY, LOSS, REMEDIES
from rfav_cli.records import RULES, Gain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from benchmarks.remedy.results import Outcome

MEASURES = {ACCURACY: "best_accuracy", LOSS: "final_loss"}
"""What the record says -> the figure."""
MAKES = ("plain", "normalised")
_PLAIN, _NORMALISED = "convolutional nets without normalisation", "nets with batch normalisation"
SMALL = (
    ("augment", "plain", "augment", _PLAIN),
    ("augment", "normalised", "augment", _NORMALISED),
    ("dropout", "normalised", "dropout", _NORMALISED),
    ("adaptive", "plain", "adaptive and scores", _PLAIN),
    ("adaptive", "normalised", "adaptive scores", _NORMALISED),
)
"""Remedy and make of the net, and the method and the nets of the small runs that tell of them."""
DIGITS = 4


def record(outcomes: list[Outcome]) -> tuple[Gain, ...]:
    """Each remedy on nets of each make that it was measured on, by each measure."""
    return tuple(
        gain for remedy in REMEDIES for make in MAKES for gain in _gains(remedy, make, _of_make(outcomes, remedy, make))
    )


def _of_make(outcomes: list[Outcome], remedy: str, make: str) -> list[NDArray[np.float64]]:
    """(seeds, figures) of each run: a recipe is held against what it goes on from, anything else against `plain`."""
    sources = {"plain": f"plain+{remedy}", "norm": f"norm+{remedy}"} if remedy in RULES else {"plain": remedy}
    return [
        differences
        for source, method in sources.items()
        for run, differences in pairs(outcomes, method, source).items()
        if make_of(run, source) == make
    ]


def make_of(run: str, source: str) -> str:
    """Of which make the net is that a method is held against."""
    return "normalised" if source == "norm" or "_normnet-" in run else "plain"


def _gains(remedy: str, make: str, runs: list[NDArray[np.float64]]) -> Iterator[Gain]:
    """Mean over the runs, a run being the mean of its seeds, with its interval by Student's t."""
    if len(runs) < 2:
        return
    means, trainings = np.array([differences.mean(axis=0) for differences in runs]), sum(map(len, runs))
    for measure, figure in MEASURES.items():
        values = means[:, FIGURES.index(figure)]
        mean, half = float(values.mean()), t95(len(runs) - 1) * float(values.std(ddof=1)) / len(runs) ** 0.5
        figures = (round(each, DIGITS) for each in (mean, mean - half, mean + half))
        yield Gain(remedy, measure, *figures, len(runs), trainings, make)


def small_record(outcomes: list[Outcome]) -> tuple[Gain, ...]:
    """The same of the small runs (`adaptive/`): what only they have, against plain training."""
    measures = {measure: figure.replace("_", " ") for measure, figure in MEASURES.items()}
    known = {(gain.remedy, gain.nets, gain.measure): gain for gain in gains(outcomes)}
    found = (
        (remedy, make, measure, known[method, nets, figure])
        for remedy, make, method, nets in SMALL
        for measure, figure in measures.items()
    )
    return tuple(
        Gain(
            remedy,
            measure,
            *(round(each, DIGITS) for each in (gain.value, gain.low, gain.high)),
            gain.runs,
            gain.trainings,
            make,
        )
        for remedy, make, measure, gain in found
    )


def whole_record() -> tuple[Gain, ...]:
    """Of both benchmarks, from the committed figures."""
    return (*record(load(HERE / "reporting.json")), *small_record(load(HERE / "adaptive" / "reporting.json")))


def main() -> None:
    """Print the lines of the table."""
    for gain in whole_record():
        shown = (gain.remedy, gain.measure, gain.value, gain.low, gain.high, gain.runs, gain.trainings, gain.nets)
        print(f"    Gain({', '.join(repr(each) for each in shown)}),".replace("'", '"'))


if __name__ == "__main__":
    main()
