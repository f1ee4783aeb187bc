"""Tables of what was measured: `python -m benchmarks.remedy.score [--half tuning] [--readme]`.

`--collect DIR` reads the trainings of `train` and replaces the figures of that half, `reporting.json` or `tuning.json`.
`--readme` puts the tables into `README.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from benchmarks.pages import put, table
from benchmarks.remedy.results import Outcome, read
from benchmarks.remedy.runs import HALVES
from benchmarks.remedy.tables import by_run, differences, nothing_to_do, targets

HERE = Path(__file__).parent


def main() -> None:
    """Print the tables of a half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=list(HALVES), default="reporting")
    parser.add_argument("--collect", type=Path, help="folder of the trainings; replaces the committed figures")
    parser.add_argument("--readme", action="store_true", help="put the tables into the README")
    options = parser.parse_args()
    path = HERE / f"{options.half}.json"
    if options.collect:
        outcomes = read(options.collect, [run.name for run in HALVES[options.half]])
        lines = ",\n".join(json.dumps(dataclasses.asdict(each)) for each in outcomes)
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    text = document(load(path))
    print(text)
    if options.readme:
        put(HERE / "README.md", f"the {options.half} runs", text)


def load(path: Path) -> list[Outcome]:
    """The outcomes of a committed file."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Outcome(**{**row, "layers": tuple(row["layers"])}) for row in rows]


def document(outcomes: list[Outcome]) -> str:
    """All tables, as Markdown."""
    runs = len({each.run for each in outcomes})
    seeds = len({each.seed for each in outcomes})
    told = f"{runs} runs, {seeds} seeds, {len(outcomes)} outcomes."
    parts = [f"{told} A method with fewer trainings than runs times seeds was not run in full."]
    for title, rows in (
        ("Against plain training: mean difference over the runs, with its 95 % interval", differences(outcomes)),
        ("The recipe against what the net has already", differences(outcomes, against_source=True)),
        ("Each run: best accuracy, last accuracy; lowest loss → last loss, mean of the seeds", by_run(outcomes)),
        ("Layers that the recommended recipes aim at, in how many trainings", targets(outcomes)),
    ):
        shown = table(list(rows[0]), [list(row.values()) for row in rows]) if rows else "(none)"
        parts += [f"**{title}**", shown]
    return "\n\n".join([*parts, nothing_to_do(outcomes)]) + "\n"


if __name__ == "__main__":
    main()
