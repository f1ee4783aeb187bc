"""Runs cut to their first epochs: `python -m benchmarks.detection.short [--half tuning]`; a few minutes.

What a cut run is, is told by its loss on the images of the truth, smoothed with a sigma of one epoch: the rules of the
truth, with theirs of two, are of whole runs.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection.cases import HALVES, load, table
from rfav_cli.diagnosis import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.detection.cases import Case

LENGTHS = range(8, 13)
"""Epochs."""
SIGMA = 1.0
RISES = (0.003, 0.015, 0.03, 0.06)
"""Shares of the lowest loss between which the rises of the table lie."""


def main() -> None:
    """Print how many cuts of each rise are called what."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=HALVES, default="tuning")
    for rise, states in counted(load(parser.parse_args().half)).items():
        print(f"rise {rise}: {sum(states.values())} cuts: {dict(states)}")


def counted(cases: Iterable[Case]) -> dict[str, Counter[str]]:
    """Where the rise lies -> state that is told -> cuts."""
    found: dict[str, Counter[str]] = {}
    for case in cases:
        for cut, rise in cuts(case):
            found.setdefault(_between(rise), Counter())[judge(cut.history).run.state] += 1
    return dict(sorted(found.items()))


def cuts(case: Case) -> Iterator[tuple[Case, float]]:
    """The run cut to each length, and how far its loss ends above its lowest, as a share; none that is not finite."""
    rows = table("truth")[case.name]
    epochs, losses = np.array(rows["epoch"]), np.array(rows["loss"], np.float64)
    for length in LENGTHS:
        kept = epochs < length
        if epochs[-1] >= length - 1 and np.isfinite(losses[kept]).all():
            weights = np.exp(-0.5 * ((epochs[kept][:, None] - epochs[kept]) / SIGMA) ** 2)
            smoothed = (weights @ losses[kept]) / weights.sum(1)
            yield case.at(slice(int((case.history.epochs < length).sum()))), float(smoothed[-1] / smoothed.min() - 1)


def _between(rise: float) -> str:
    place = int(np.searchsorted(RISES, rise, side="right"))
    low, high = (0.0, *RISES)[place], (*RISES, np.inf)[place]
    return f"{low:.1%} to {high:.1%}" if np.isfinite(high) else f"{low:.1%} and more"


if __name__ == "__main__":
    main()
