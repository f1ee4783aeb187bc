"""Tables of the small runs: `python -m benchmarks.remedy.adaptive.score [--half tuning] [--readme]`.

`--collect DIR` reads what `train` left and replaces the committed figures of that half; `--readme` puts the tables into
`benchmarks/remedy/README.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.pages import put, table
from benchmarks.remedy.adaptive.runs import SmallRun, split
from benchmarks.remedy.results import Outcome, stop_early
from benchmarks.remedy.score import load
from benchmarks.remedy.tables import FIGURES, by_run, differences, interval, methods, pairs
from rfav_cli.records.advice import Gain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
GROUPS: dict[str, Callable[[SmallRun], bool]] = {
    "convolutional nets without normalisation": lambda run: not run.normalised and not run.net.endswith("mlp"),
    "nets with batch normalisation": lambda run: run.normalised,
    "nets of dense layers without normalisation": lambda run: not run.normalised and run.net.endswith("mlp"),
}


def main() -> None:
    """Print the tables of a half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("tuning", "reporting"), default="reporting")
    parser.add_argument("--collect", type=Path, help="folder of the trainings; replaces the committed figures")
    parser.add_argument("--gains", action="store_true", help="print the gains as records of `rfav_cli`, and no tables")
    parser.add_argument("--readme", action="store_true", help="put the tables into the README")
    options = parser.parse_args()
    path = HERE / f"{options.half}.json"
    if options.collect:
        outcomes = collected(options.collect / options.half, [run.name for run in split()[options.half]])
        lines = ",\n".join(json.dumps(dataclasses.asdict(each)) for each in outcomes)
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    if options.gains:
        for gain in gains(load(path)):
            print(gain)
        return
    text = document(load(path))
    print(text)
    if options.readme:
        put(HERE.parent / "README.md", f"the small {options.half} runs", text)


def collected(folder: Path, runs: list[str]) -> list[Outcome]:
    """Outcomes of the result files `<run>/<method>.<seed>.json`, with what needs no training of its own."""
    outcomes: list[Outcome] = []
    for run in runs:
        for path in sorted((folder / run).glob("*.json")):
            method, seed = path.name.removesuffix(".json").rsplit(".", 1)
            found = json.loads(path.read_text(encoding="utf-8"))
            plain = json.loads(path.with_name(f"plain.{seed}.json").read_text(encoding="utf-8"))["rows"]
            mended = found["rows"] is not None
            layers = tuple(found.get("layers", ())) if mended and method != "plain" else ()
            outcomes.append(outcome(run, method, int(seed), found["rows"] or plain, layers=layers, mended=mended))
            if method == "plain":
                outcomes += _untrained(run, int(seed), plain)
    return outcomes


def _untrained(run: str, seed: int, rows: list[dict[str, float]]) -> Iterator[Outcome]:
    """Of a plain training: a temperature on it, and the checkpoint that early stopping keeps."""
    yield outcome(run, "temperature", seed, rows, loss="calibrated_loss")
    stopped = rows[: stop_early([row["validation_loss"] for row in rows]) + 1]
    looked_at = [index for index, row in enumerate(stopped) if "loss" in row]
    kept = min(looked_at, key=lambda index: stopped[index]["validation_loss"])
    yield outcome(run, "early stopping", seed, rows[: kept + 1])


def outcome(
    run: str, method: str, seed: int, rows: list[dict[str, float]], *, loss: str = "loss", **more: Any
) -> Outcome:
    """A training in figures, of the epochs that were looked at."""
    seen = [row for row in rows if "loss" in row]
    accuracies, losses = [row["accuracy"] for row in seen], [row[loss] for row in seen]
    best = round(max(accuracies), 4), round(accuracies[-1], 4), round(min(losses), 4), round(losses[-1], 4)
    return Outcome(run, method, seed, *best, **more)


def gains(outcomes: list[Outcome]) -> Iterator[Gain]:
    """What each method was worth against plain training, by the make of the net; of two runs and more."""
    known = {run.name: run for half in split().values() for run in half}
    for nets, belongs in GROUPS.items():
        these = [each for each in outcomes if belongs(known[each.run])]
        for method in methods(these):
            found = pairs(these, method, "plain")
            if method == "plain" or len(found) < 2:
                continue
            means = np.array([values.mean(axis=0) for values in found.values()])
            trainings = sum(map(len, found.values()))
            for index, figure in enumerate(FIGURES):
                mean, half = interval(means[:, index])
                bounds = mean, mean - half, mean + half
                yield Gain(method, figure.replace("_", " "), *bounds, len(found), trainings, nets)


def document(outcomes: list[Outcome]) -> str:
    """All tables, as Markdown."""
    parts = [f"{len(outcomes)} outcomes. A method with fewer trainings than runs times seeds was not run in full."]
    known = {run.name: run for half in split().values() for run in half}
    for title, belongs in GROUPS.items():
        these = [each for each in outcomes if belongs(known[each.run])]
        runs, seeds = len({each.run for each in these}), len({each.seed for each in these})
        parts.append(f"**{title.capitalize()}: {runs} runs, {seeds} seeds**")
        for base in ("plain", "temperature"):
            rows = differences(these, base=base)
            parts.append(f"Mean difference from {base} over the runs, with its 95 % interval:")
            parts.append(table(list(rows[0]), [list(row.values()) for row in rows]) if rows else "(none)")
        rows = by_run(these)
        parts.append("Each run: best accuracy, last accuracy; lowest loss → last loss, mean of the seeds:")
        parts.append(table(list(rows[0]), [list(row.values()) for row in rows]))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
