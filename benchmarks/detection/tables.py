"""The figures of a half as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.pages import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NONE = "-"


def render(document: Mapping[str, Any]) -> str:
    """All tables of a half."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    healthy = document["runs"] - document["overfitting"]
    yield (
        f"{document['runs']} of {document['all_runs']} {document['half']} runs: {document['overfitting']} overfit, "
        f"{healthy} are healthy to the end.\n"
    )
    yield from _scores("Whole runs", document["judges"])
    yield from _scores("Overfitting runs cut at their true onset: all are healthy then", document["cut"], recall=False)
    yield from _scores("Every fifth checkpoint only", document["every_fifth"])
    if document["watched"]:
        yield from _watched(document["watched"])
    yield from _reliability(document["reliability"])
    yield "\n**Layers that rfav calls collapsed on vanillanet-m** (the paper names conv3, conv4 and fc1)\n"
    yield table(
        ["run", "truth", "collapsed"],
        [[each["run"], _truth(each["onset"]), ", ".join(each["layers"]) or "none"] for each in document["layers"]],
    )
    yield from _wrong(document["judges"])
    yield from _calls(list(document["judges"]), document["calls"])
    if document["candidates"]:
        yield from _candidates(document["candidates"])


def _scores(title: str, scores: Mapping[str, Any], *, recall: bool = True) -> Iterator[str]:
    yield f"\n**{title}**\n"
    names = ["judge", *(["precision", "recall", "F1"] if recall else []), "false alarms"]
    names += [*(["onset error, epochs"] if recall else []), "cannot say"]
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
    yield "\n**What rfav is wrong about**, whole runs\n"
    for name, each in scores.items():
        if not name.startswith("rfav"):
            continue
        missed, alarmed = (", ".join(f"`{run}`" for run in each[key]) or "none" for key in ("missed", "alarmed"))
        yield f"- {name}: missed {missed}; false alarms {alarmed}"


def _calls(names: Sequence[str], calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Every call, the wrong ones in bold."""
    yield "\n**Every call**: since which epoch a run overfits, `-` for healthy, `?` for cannot say; bold: wrong\n"
    keys = [chr(ord("a") + index) for index in range(len(names))]
    yield "; ".join(f"{key} {name}" for key, name in zip(keys, names, strict=True)) + "\n"
    rows = [
        [f"`{each['run']}`", _told(each["onset"]), *(_marked(told, each["onset"]) for told in each["told"])]
        for each in calls
    ]
    yield table(["run", "truth", *keys], rows)


def _told(told: int | str | None) -> str:
    return {"healthy": "-", None: "-", "cannot say": "?"}.get(told) or str(told)  # type: ignore[arg-type]


def _marked(told: int | str, onset: int | None) -> str:
    wrong = isinstance(told, int) != (onset is not None)
    return f"**{_told(told)}**" if wrong else _told(told)


def _candidates(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "\n**Single figures**, best limit in hindsight\n"
    rows = [
        [each["name"], each["expected"], str(each["runs"]), _share(each["auc"]), _share(each["f1"])] for each in found
    ]
    yield table(["figure", "overfits when", "runs", "AUC", "best F1"], rows)


def _truth(onset: int | None) -> str:
    return "healthy" if onset is None else f"overfits since epoch {onset}"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:g}"
