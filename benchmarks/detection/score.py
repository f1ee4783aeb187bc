"""How often each judge is right: `python -m benchmarks.detection.score [--half tuning] [--readme]`.

Works on the committed runs, in a minute and without torch. Limits of the judges that have one are chosen on the first
tuning runs, whichever half is scored; where a family is left out, on the tuning runs of all others.
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
from benchmarks.detection.configurations import FIRST, split
from benchmarks.detection.families import by_family, confusion, left_out, outcome_of
from benchmarks.detection.judges import LIMITED, RFAV, WITH_TRAINING, below, best_limit, judges
from benchmarks.detection.metrics import brier, reliability, score
from benchmarks.detection.tables import front, render
from benchmarks.detection.watched import watched
from benchmarks.pages import put

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.detection.cases import Case
    from benchmarks.detection.judges import Call, Judge, Named
    from benchmarks.detection.metrics import Score
    from benchmarks.detection.truth import Truth

README = Path(__file__).parent / "README.md"
FRONT_PAGE = Path(__file__).parents[2] / "README.md"
STRIDE = 5
"""Of the row for runs with few checkpoints: every which one is kept."""
PAPERS_NET = "vanillanet-m"


def main() -> None:
    """Print the tables of a half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=HALVES, default="reporting")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--figure", type=Path, help="draw the reliability diagram (needs matplotlib)")
    parser.add_argument(
        "--readme",
        action="store_true",
        help="put the tables into the READMEs of this folder and of the project",
    )
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
        if options.half == "reporting":
            put(FRONT_PAGE, "the detection benchmark", f"{front(document)}\n")


@cache
def cases_of(half: str) -> tuple[Case, ...]:
    """The runs of a half, read once."""
    return tuple(load(half))


def first_of(half: str) -> tuple[Case, ...]:
    """The first trainings of a half, which have the figures of other tools."""
    return tuple(case for case in cases_of(half) if case.configuration.family == FIRST)


@cache
def all_judges() -> tuple[Named, ...]:
    """The judges, their limits chosen on the first tuning runs."""
    return tuple(judges(first_of("tuning"), partial(f1_of, cases=first_of("tuning"))))


def f1_of(judge: Judge, cases: Sequence[Case]) -> float:
    """F1 of a judge."""
    return score([judge(case) for case in cases], [case.truth for case in cases]).f1


@cache
def evaluate(half: str) -> dict[str, Any]:
    """All figures of a half; everything in it is plain JSON."""
    cases = cases_of(half)
    known = [each for each in all_judges() if each.history_only]
    calls = {each.name: [each.judge(case) for case in cases] for each in (*RFAV, WITH_TRAINING, *known[len(RFAV) :])}
    truths = [case.truth for case in cases]
    own = [each.name for each in (*RFAV, WITH_TRAINING)]
    return {
        "half": half,
        "runs": len(cases),
        "all_runs": len(split()[HALVES.index(half)]),
        "overfitting": sum(truth.overfits for truth in truths),
        "healthy": sum(truth.state == "healthy" for truth in truths),
        "judges": {name: _figures(found, cases) for name, found in calls.items()},
        "families": by_family(calls, cases),
        "states": {name: confusion(calls[name], cases) for name in own},
        "left_out": {name: _left_out(name, cases) for name in LIMITED},
        "reliability": _reliability({name: calls[name] for name in own}, truths),
        "calls": _calls(calls, cases),
        "first": evaluate_first(half),
    }


def evaluate_first(half: str) -> dict[str, Any]:
    """What more is known of the first trainings, which other tools have seen as well."""
    cases = first_of(half)
    overfitting = [case.until_onset() for case in cases if case.truth.overfits]
    sparse = [case.at(slice(None, None, STRIDE)) for case in cases]
    partial_judges = [each for each in all_judges() if each.history_only]
    calls = {each.name: [each.judge(case) for case in cases] for each in all_judges()}
    return {
        "runs": len(cases),
        "overfitting": len(overfitting),
        "judges": {name: _figures(found, cases) for name, found in calls.items()},
        "cut": {
            each.name: _figures([each.judge(case) for case in overfitting], overfitting) for each in partial_judges
        },
        "every_fifth": {each.name: _figures([each.judge(case) for case in sparse], sparse) for each in partial_judges},
        "watched": {each.name: watched(each.judge, cases) for each in partial_judges} if half == "reporting" else {},
        "calls": _calls(calls, cases),
        "layers": [
            {"run": case.name, "onset": case.truth.onset, "layers": list(call.layers)}
            for case, call in zip(cases, calls["rfav, with labels"], strict=True)
            if case.configuration.net == PAPERS_NET
        ],
        "candidates": [asdict(each) for each in candidates(cases)] if half == "tuning" else [],
    }


def _left_out(name: str, cases: Sequence[Case]) -> dict[str, Any]:
    """A judge with a limit, chosen for each family on the tuning runs of the others."""
    curve = LIMITED[name]
    return left_out(
        lambda some: best_limit(curve, some, partial(f1_of, cases=some)),
        lambda limit: below(curve, *limit),
        cases_of("tuning"),
        cases,
    )


def _reliability(calls: Mapping[str, Sequence[Call]], truths: Sequence[Truth]) -> dict[str, Any]:
    """Of the judges that state a probability."""
    return {
        name: {"brier": brier(found, truths), "bins": [asdict(each) for each in reliability(found, truths)]}
        for name, found in calls.items()
        if any(call.probability is not None for call in found)
    }


def _calls(calls: Mapping[str, Sequence[Call]], cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Every call, a run at a time, and what it is."""
    return [
        {
            "run": case.name,
            "family": case.configuration.family,
            "truth": _truth(case.truth),
            "told": [_told(found[row]) for found in calls.values()],
            "wrong": [outcome_of(found[row], case.truth) == "wrong" for found in calls.values()],
        }
        for row, case in enumerate(cases)
    ]


def _truth(truth: Truth) -> int | str:
    """A truth in a cell: the onset of a run that overfits, or the state."""
    return truth.onset if truth.overfits and truth.onset is not None else truth.state


def _told(call: Call) -> int | str:
    """A call in a cell: the onset, or why there is none."""
    if call.flag and call.onset is not None:
        return call.onset
    return "healthy" if call.passes else call.state


def _figures(calls: Sequence[Call], cases: Sequence[Case]) -> dict[str, Any]:
    """A judge's score, and the runs that it is wrong about."""
    found: Score = score(calls, [case.truth for case in cases])
    pairs = list(zip(calls, cases, strict=True))
    return {
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "committed_f1": found.committed_f1,
        "overfitting": found.overfitting,
        "called_healthy": found.missed,
        "false_alarms": found.false_alarms,
        "healthy": found.healthy,
        "onset_error": found.onset_error,
        "silent": found.silent,
        "passed": sum(call.passes and not case.truth.learns for call, case in pairs),
        "other": sum(not case.truth.learns for case in cases),
        "missed": [case.name for call, case in pairs if case.truth.overfits and call.passes],
        "open": [case.name for call, case in pairs if call.silent and case.truth.learns],
        "alarmed": [case.name for call, case in pairs if call.flag and case.truth.state == "healthy"],
    }


if __name__ == "__main__":
    main()
