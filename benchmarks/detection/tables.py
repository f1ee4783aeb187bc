"""The figures of a half as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.detection.configurations import FIRST
from benchmarks.pages import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NONE = "-"
MOST_NAMED = 8
"""Runs that are named in a list."""


def render(document: Mapping[str, Any]) -> str:
    """All tables of a half."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    other = document["runs"] - document["overfitting"] - document["healthy"]
    yield (
        f"{document['runs']} of {document['all_runs']} {document['half']} runs: {document['overfitting']} overfit, "
        f"{document['healthy']} are healthy to the end, {other} end at chance or without finite figures.\n"
    )
    yield from _whole(document["judges"])
    yield from _families(document["families"])
    for name, found in document["states"].items():
        yield from _states(name, found)
    yield from _left_out(document["left_out"])
    yield from _reliability(document["reliability"])
    yield from _wrong(document["judges"])
    yield from _calls(list(document["judges"]), [each for each in document["calls"] if each["family"] != FIRST])
    yield from _first(document["first"])


def _first(document: Mapping[str, Any]) -> Iterator[str]:
    """Of the first trainings, which have more figures."""
    yield f"\n### The first {document['runs']}: {document['overfitting']} overfit\n"
    yield from _scores("Whole runs", document["judges"])
    yield from _scores("Overfitting runs cut at their true onset: all are healthy then", document["cut"], recall=False)
    yield from _scores("Every fifth checkpoint only", document["every_fifth"])
    if document["watched"]:
        yield from _watched(document["watched"])
    yield "\n**Layers that rfav calls collapsed on vanillanet-m** (the paper names conv3, conv4 and fc1)\n"
    yield table(
        ["run", "truth", "collapsed"],
        [[each["run"], _onset(each["onset"]), ", ".join(each["layers"]) or "none"] for each in document["layers"]],
    )
    yield from _calls(list(document["judges"]), document["calls"])
    if document["candidates"]:
        yield from _candidates(document["candidates"])


FRONT = ("precision", "recall", "F1", "F1 where it commits", "healthy flagged", "overfitting called healthy", "open")
"""Columns of the main table that the project's front page has as well."""


def front(document: Mapping[str, Any]) -> str:
    """The table of the project's front page."""
    return table(["judge", *FRONT], [[name, *_main(each)] for name, each in document["judges"].items()])


def _main(each: Mapping[str, Any]) -> list[str]:
    return [
        *(_share(each[key]) for key in ("precision", "recall", "f1", "committed_f1")),
        f"{each['false_alarms']}/{each['healthy']}",
        f"{each['called_healthy']}/{each['overfitting']}",
        f"{each['silent']}/{each['overfitting'] + each['healthy']}",
    ]


def _whole(scores: Mapping[str, Any]) -> Iterator[str]:
    """The main table."""
    yield "\n**All kinds, whole runs**\n"
    rows = [
        [name, *_main(each), f"{each['passed']}/{each['other']}", _number(each["onset_error"])]
        for name, each in scores.items()
    ]
    yield table(["judge", *FRONT, "at chance, broken or diverged that pass", "onset error, epochs"], rows)


def _families(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "\n**By kind**: calls that are right / wrong / open\n"
    names = list(found[0]["judges"]) if found else []
    rows = [
        [
            each["family"],
            *(str(each[key] or NONE) for key in ("overfitting", "healthy", "other")),
            *("{right} / {wrong} / {open}".format(**each["judges"][name]) for name in names),
        ]
        for each in found
    ]
    yield table(["kind", "overfit", "healthy", "other", *names], rows)


def _states(name: str, found: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield f"\n**States, {name}**: true states down, told ones across\n"
    told = sorted({state for row in found.values() for state in row})
    yield table(
        ["", *told],
        [[state, *(str(found[state].get(each, NONE)) for each in told)] for state in sorted(found)],
    )


def _left_out(found: Mapping[str, Any]) -> Iterator[str]:
    yield "\n**A kind at a time left out**: judged by limits that are best on the tuning runs of all other kinds\n"
    rows = []
    for name, each in found.items():
        limits = [limit for limit, _ in (row["limit"] for row in each["families"].values())]
        wrong = {family: row["wrong"] for family, row in each["families"].items() if row["wrong"]}
        figures = each["figures"]
        rows.append(
            [
                name.format("…"),
                f"{min(limits):.2f} to {max(limits):.2f}",
                *(_share(figures[key]) for key in ("precision", "recall", "f1")),
                f"{figures['false_alarms']}/{figures['healthy']}",
                ", ".join(f"{family} {count}" for family, count in wrong.items()) or "none",
            ]
        )
    yield table(["judge", "limits", "precision", "recall", "F1", "healthy flagged", "wrong about"], rows)


def _scores(title: str, scores: Mapping[str, Any], *, recall: bool = True) -> Iterator[str]:
    yield f"\n**{title}**\n"
    names = ["judge", *(["precision", "recall", "F1"] if recall else []), "false alarms"]
    names += [*(["onset error, epochs"] if recall else []), "open"]
    rows = []
    for name, each in scores.items():
        row = [name, *([_share(each["precision"]), _share(each["recall"]), _share(each["f1"])] if recall else [])]
        row.append(f"{each['false_alarms']}/{each['healthy']}")
        rows.append([*row, *([_number(each["onset_error"])] if recall else []), str(each["silent"])])
    yield table(names, rows)


def _watched(found: Mapping[str, Any]) -> Iterator[str]:
    yield "\n**Judged after each epoch**, as by `rfav watch`: when a run is first flagged\n"
    rows = [
        [
            name,
            f"{each['found']}/{each['overfitting']}",
            "{:g} ({:g} to {:g})".format(*each["delay"]) if each["delay"] else NONE,
            _number(each["onset_error"]),
            f"{each['false_alarms']}/{each['healthy']}",
        ]
        for name, each in found.items()
    ]
    yield table(["judge", "found", "epochs after the onset", "onset error, epochs", "ever a false alarm"], rows)


def _reliability(found: Mapping[str, Any]) -> Iterator[str]:
    yield "\n**Reliability**: the probability of overfitting that is stated, and how often it came true\n"
    rows = [
        [
            name,
            f"{each['low']:.1f}-{each['high']:.1f}",
            str(each["count"]),
            _share(each["stated"]),
            _share(each["frequency"]),
        ]
        for name, judged in found.items()
        for each in judged["bins"]
    ]
    yield table(["judge", "stated", "runs", "stated, mean", "overfit"], rows)
    yield "\nBrier score: " + ", ".join(f"{name} {_share(each['brier'])}" for name, each in found.items()) + "."


def _wrong(scores: Mapping[str, Any]) -> Iterator[str]:
    yield "\n**What rfav is wrong about, and what it leaves open**\n"
    for name, each in scores.items():
        if not name.startswith("rfav"):
            continue
        missed, alarmed, left = (_runs(each[key]) for key in ("missed", "alarmed", "open"))
        yield f"- {name}: overfitting called healthy: {missed}; healthy flagged: {alarmed}; open: {left}"


def _runs(names: Sequence[str]) -> str:
    """Runs by name, or how many where a list would say nothing."""
    return f"{len(names)} runs" if len(names) > MOST_NAMED else ", ".join(f"`{run}`" for run in names) or "none"


def _calls(names: Sequence[str], calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Every call, the wrong ones in bold."""
    yield "\n**Every call**: since which epoch a run overfits, `-` for healthy, other states by name; bold: wrong\n"
    keys = [chr(ord("a") + index) for index in range(len(names))]
    yield "; ".join(f"{key} {name}" for key, name in zip(keys, names, strict=True)) + "\n"
    rows = [
        [
            f"`{each['run']}`",
            _told(each["truth"]),
            *(
                f"**{_told(told)}**" if bad else _told(told)
                for told, bad in zip(each["told"], each["wrong"], strict=True)
            ),
        ]
        for each in calls
    ]
    yield table(["run", "truth", *keys], rows)


def _told(told: int | str) -> str:
    return "-" if told == "healthy" else str(told)


def _candidates(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "\n**Single figures**, best limit in hindsight\n"
    rows = [
        [each["name"], each["expected"], str(each["runs"]), _share(each["auc"]), _share(each["f1"])] for each in found
    ]
    yield table(["figure", "overfits when", "runs", "AUC", "best F1"], rows)


def _onset(onset: int | None) -> str:
    return "healthy" if onset is None else f"overfits since epoch {onset}"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:g}"
