"""What the judges make of each kind of training, of each true state, and with limits that a kind had no part in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.detection.metrics import score

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.detection.cases import Case
    from benchmarks.detection.judges import Call, Judge
    from benchmarks.detection.truth import Truth


def outcome_of(call: Call, truth: Truth) -> str:
    """What a call is: "right", "wrong" or "open".

    Of a run that learns it is right where it flags one that overfits or passes one that does not. Any other run must
    not pass: a flag is right for it as well as its own state.
    """
    if truth.learns:
        return "open" if call.silent else "right" if call.flag == truth.overfits else "wrong"
    if call.passes:
        return "wrong"
    return "right" if call.flag or call.state in {"not learning", "broken", "diverged"} else "open"


def by_family(calls: Mapping[str, Sequence[Call]], cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Of each family: how many runs are what, and how many calls of each judge are what."""
    families: dict[str, list[int]] = {}
    for row, case in enumerate(cases):
        families.setdefault(case.configuration.family, []).append(row)
    return [
        {
            "family": family,
            "overfitting": sum(cases[row].truth.overfits for row in rows),
            "healthy": sum(cases[row].truth.state == "healthy" for row in rows),
            "other": sum(not cases[row].truth.learns for row in rows),
            "judges": {
                name: counted([found[row] for row in rows], [cases[row] for row in rows])
                for name, found in calls.items()
            },
        }
        for family, rows in families.items()
    ]


def counted(calls: Sequence[Call], cases: Sequence[Case]) -> dict[str, int]:
    """How many calls are right, wrong and open."""
    found = [outcome_of(call, case.truth) for call, case in zip(calls, cases, strict=True)]
    return {name: found.count(name) for name in ("right", "wrong", "open")}


def confusion(calls: Sequence[Call], cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """True state -> told state -> runs; overfitting by its kind, where it is known."""
    table: dict[str, dict[str, int]] = {}
    for call, case in zip(calls, cases, strict=True):
        row = table.setdefault(_words(case.truth.state, case.truth.kind), {})
        told = _words(call.state, call.kind)
        row[told] = row.get(told, 0) + 1
    return table


def _words(state: str, kind: str | None) -> str:
    return f"{state}: {kind}" if kind else state


def left_out(
    tune: Callable[[Sequence[Case]], Any], make: Callable[[Any], Judge], tuning: Sequence[Case], cases: Sequence[Case]
) -> dict[str, Any]:
    """Judge each family by a limit that was chosen on the tuning runs of all others.

    Args:
        tune: gives the best limit on some runs.
        make: a judge from a limit.
        tuning: the runs that limits are chosen on.
        cases: the runs that are judged.

    Returns:
        `families`: family -> its limit and its counts; `figures`: precision, recall, F1 and false alarms over all.
    """
    families: dict[str, Any] = {}
    calls: list[Call] = []
    judged: list[Case] = []
    for family in dict.fromkeys(case.configuration.family for case in cases):
        members = [case for case in cases if case.configuration.family == family]
        limit = tune([case for case in tuning if case.configuration.family != family])
        found = [make(limit)(case) for case in members]
        families[family] = {"limit": limit, **counted(found, members)}
        calls += found
        judged += members
    total = score(calls, [case.truth for case in judged])
    figures = {
        "precision": total.precision,
        "recall": total.recall,
        "f1": total.f1,
        "false_alarms": total.false_alarms,
        "healthy": total.healthy,
    }
    return {"families": families, "figures": figures}
