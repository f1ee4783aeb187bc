"""What `rfav train --from-store` makes of the sample run that overfits: `python -m benchmarks.retraining`.

The run is judged, and trained again from its best checkpoint, on the same images: with the recommended penalties,
which follow other images than those of the probe, and without any. Held-out loss and accuracy are those of the probe.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

import rfav_cli
from benchmarks.inputs import machine, print_table, write_json
from rfav_cli import recipes
from rfav_cli.diagnosis import judge
from rfav_cli.records import RULES
from sample_models.make import write_training_set, write_validation_set

SAMPLES = Path(__file__).parents[1] / "sample_models"
MODEL = "sample_models.net:make_net"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rule", choices=RULES, default="adaptive")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        rows = measure(Path(scratch), options.seeds, options.epochs, options.rule)
    title = f"Held-out figures of the sample run, and {options.epochs} epochs from its best checkpoint"
    print_table(title, [{key: str(value) for key, value in row.items()} for row in rows])
    write_json(options.out, {"machine": machine("cpu"), "rows": rows})


def measure(folder: Path, seeds: int, epochs: int, rule: str) -> list[dict[str, Any]]:
    """A row for the run, and two for each seed."""
    probe, store = SAMPLES / "probe.npz", folder / "run.h5"
    rows = [described("the run", rfav_cli.analyze(SAMPLES / "overfit", model=MODEL, probe=probe, out=store))]
    write_training_set(folder / "few.npz")
    write_validation_set(folder / "others.npz")
    rfav_cli.recommend(store, rule=rule, out=folder / "recipe.toml")
    start = recipes.load(folder / "recipe.toml").checkpoint
    common: dict[str, Any] = {"data": folder / "few.npz", "probe": probe, "epochs": epochs}
    common["validation"] = folder / "others.npz"
    for seed in range(seeds):
        for name, how in (
            ("penalties", {"from_store": store, "rule": rule, "model": MODEL}),
            ("plain", {"model": MODEL, "init": start}),
        ):
            out, begun = folder / f"{name}-{seed}", time.process_time()
            rfav_cli.train(out=out, seed=seed, **common, **how)
            row = described(f"{name}, seed {seed}", rfav_cli.open_store(out / "rfav.h5"))
            rows.append(row | {"seconds of CPU": round(time.process_time() - begun)})
    return rows


def described(name: str, history: rfav_cli.History) -> dict[str, Any]:
    """A run's losses, its last accuracy and the verdict."""
    loss, run = history.loss, judge(history).run
    return {
        "run": name,
        "lowest loss": round(float(loss.min()), 3),
        "last loss": round(float(loss[-1]), 3),
        "last accuracy": round(float(history.accuracy[-1]), 3),
        "verdict": run.state,
        "seconds of CPU": "",
    }


if __name__ == "__main__":
    main()
