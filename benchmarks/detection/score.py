"""How often each judge is right: `python -m benchmarks.detection.score [--half tuning] [--readme]`.

Works on the committed runs, in seconds and without torch. Limits of the judges that have one are chosen on the tuning
runs, whichever half is scored.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.detection.candidates import candidates
from benchmarks.detection.cases import HALVES, load
from benchmarks.detection.configurations import split
from benchmarks.detection.judges import judges
from benchmarks.detection.metrics import brier, reliability, score
from benchmarks.detection.tables import render
from benchmarks.detection.watched import watched
from benchmarks.pages import put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.detection.cases import Case
    from benchmarks.detection.judges import Call, Judge, Named
    from benchmarks.detection.metrics import Score

README = Path(__file__).parent / "README.md"
STRIDE = 5
"""Of the row for runs with few checkpoints: every which one is kept."""
PAPERS_NET = "vanillanet-m"


def main() -> None:
    """Print the tables of a half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=HALVES, default="reporting")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--figure", type=Path, help="draw the reliability diagram (needs matplotlib)")
    parser.add_argument("--readme", action="store_true", help="put the tables into the README beside this file")
    options = parser.parse_args()
    document = evaluate(options.half)
    print(render(document))
    if options.out:
        options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if options.figure:
        from benchmarks.detection.figure import draw

        draw(document, options.figure)
    if options.readme:
        put(README, f"the {options.half} runs", render(document))


@cache
def cases_of(half: str) -> tuple[Case, ...]:
    """The runs of a half, read once."""
    return tuple(load(half))


@cache
def all_judges() -> tuple[Named, ...]:
    """The judges, their limits chosen on the tuning runs."""
    return tuple(judges(cases_of("tuning"), partial(f1_of, cases=cases_of("tuning"))))


def f1_of(judge: Judge, cases: Sequence[Case]) -> float:
    """F1 of a judge."""
    return score([judge(case) for case in cases], [case.truth for case in cases]).f1


def evaluate(half: str) -> dict[str, Any]:
    """All figures of a half; everything in it is plain JSON."""
    cases = cases_of(half)
    overfitting = [case.until_onset() for case in cases if case.truth.overfits]
    sparse = [case.at(slice(None, None, STRIDE)) for case in cases]
    partial_judges = [each for each in all_judges() if each.history_only]
    calls = {each.name: [each.judge(case) for case in cases] for each in all_judges()}
    truths = [case.truth for case in cases]
    stating = {name: found for name, found in calls.items() if any(call.probability is not None for call in found)}
    return {
        "half": half,
        "runs": len(cases),
        "all_runs": len(split()[HALVES.index(half)]),
        "overfitting": sum(truth.overfits for truth in truths),
        "judges": {name: _figures(found, cases) for name, found in calls.items()},
        "cut": {
            each.name: _figures([each.judge(case) for case in overfitting], overfitting) for each in partial_judges
        },
        "every_fifth": {each.name: _figures([each.judge(case) for case in sparse], sparse) for each in partial_judges},
        "watched": {each.name: watched(each.judge, cases) for each in partial_judges} if half == "reporting" else {},
        "reliability": {
            name: {"brier": brier(found, truths), "bins": [asdict(each) for each in reliability(found, truths)]}
            for name, found in stating.items()
        },
        "calls": [
            {"run": case.name, "onset": case.truth.onset, "told": [_told(found[row]) for found in calls.values()]}
            for row, case in enumerate(cases)
        ],
        "layers": [
            {"run": case.name, "onset": case.truth.onset, "layers": list(call.layers)}
            for case, call in zip(cases, calls["rfav, with labels"], strict=True)
            if case.configuration.net == PAPERS_NET
        ],
        "candidates": [asdict(each) for each in candidates(cases)] if half == "tuning" else [],
    }


def _told(call: Call) -> int | str:
    """A call in a cell: the onset, or why there is none."""
    return call.onset if call.flag and call.onset is not None else "cannot say" if call.silent else "healthy"


def _figures(calls: Sequence[Call], cases: Sequence[Case]) -> dict[str, Any]:
    """A judge's score, and the runs that it is wrong about."""
    found: Score = score(calls, [case.truth for case in cases])
    pairs = list(zip(calls, cases, strict=True))
    return {
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "false_alarms": found.false_alarms,
        "healthy": found.healthy,
        "onset_error": found.onset_error,
        "silent": found.silent,
        "missed": [
            f"{case.name}{' (silent)' * call.silent}" for call, case in pairs if case.truth.overfits and not call.flag
        ],
        "alarmed": [case.name for call, case in pairs if call.flag and not case.truth.overfits],
    }


if __name__ == "__main__":
    main()
