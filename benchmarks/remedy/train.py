"""Train the runs with each remedy: `python -m benchmarks.remedy.train --data DIR --out DIR`.

DIR of the data holds the unpacked sets. What is there is passed over, so that the whole can be stopped and gone on
with; it takes hours of one core. `score` takes it from there.
"""

from __future__ import annotations

import argparse
import shutil
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import rfav_cli
from benchmarks.detection.train import MEAN, STD, partition, read_data, write_json, write_probe
from benchmarks.remedy.methods import recipe_options, source_options, sources
from benchmarks.remedy.runs import HALVES
from rfav_cli.diagnosis import judge

if TYPE_CHECKING:
    from benchmarks.detection.configurations import Configuration

RECIPES = "even,balanced,paper,all:c0.5,random:c0.5,even:c0.5"
"""Those that the page tells of."""


def main() -> None:
    """Train what is not trained yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the unpacked data sets")
    parser.add_argument("--out", type=Path, required=True, help="where the trainings go")
    parser.add_argument("--half", choices=list(HALVES), default="reporting")
    parser.add_argument("--sources", default="plain,dropout,norm,decay")
    parser.add_argument("--recipes", default=RECIPES, help="what goes on from each but decay; see `methods`")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", default="", help="runs whose name has this in it")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, a core each")
    options = parser.parse_args()
    runs = [each for each in HALVES[options.half] if options.only in each.name]
    for run in runs:
        prepare(run, options.data, options.out)
    recipes = [each for each in options.recipes.split(",") if each]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        started = [
            pool.submit(train_source, run, source, recipes, seed, options.out)
            for seed in options.seeds
            for run in runs
            for source in sources(run)
            if source in options.sources.split(",")
        ]
        for done in as_completed(started):
            print(done.result(), flush=True)


def prepare(run: Configuration, data: Path, out: Path) -> None:
    """The run's samples: to train on, to watch it with, and those that tell what it is worth."""
    folder = out / run.name
    if (folder / "truth.npz").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = read_data(data, out, run.data)
    probe, truth, rest = partition(len(labels))
    for name, rows in (("train", rest[: run.images]), ("probe", probe), ("truth", truth)):
        write_probe(folder / f"{name}.npz", images[rows], labels[rows])


def train_source(run: Configuration, source: str, recipes: list[str], seed: int, out: Path) -> str:
    """Train one from the start, and what goes on from it."""
    torch.set_num_threads(1)
    start, folder = time.monotonic(), out / run.name
    at = folder / f"{source}-{seed}"
    result = folder / f"{source}.{seed}.json"
    if not result.exists():
        shutil.rmtree(at, ignore_errors=True)
        rows = _train(run, folder, at, seed, probe=folder / "probe.npz", **source_options(run, source))
        history = rfav_cli.open_store(at / "rfav.h5")
        write_json(result, {"rows": rows, "probe_loss": history.loss.tolist(), "state": judge(history).run.state})
    for recipe in () if source == "decay" else recipes:
        _train_on(run, source, recipe, seed, folder)
    return f"{run.name} {source} {seed}: {time.monotonic() - start:.0f} s"


def _train_on(run: Configuration, source: str, recipe: str, seed: int, folder: Path) -> None:
    result = folder / f"{source}+{recipe}.{seed}.json"
    if result.exists():
        return
    history = rfav_cli.open_store(folder / f"{source}-{seed}" / "rfav.h5")
    options = recipe_options(recipe, history, judge(history), seed)
    if options is None:
        write_json(result, {"rows": None})
        return
    told, at = options["recipe"], folder / f"{source}+{recipe}-{seed}"
    shutil.rmtree(at, ignore_errors=True)
    # As many epochs in all as the run that it mends.
    first = 0 if options["init"] == "fresh" else told.rewind + 1
    rows = _train(run, folder, at, seed, epochs=run.epochs - first, **(source_options(run, source) | options))
    shutil.rmtree(at)
    layers = {each.name: [each.lambda_, each.kappa] for each in told.layers}
    write_json(result, {"rows": rows, "first": first, "layers": layers})


def _train(run: Configuration, folder: Path, out: Path, seed: int, **options: Any) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"epochs": run.epochs, "keep": "all" if "probe" in options else 1} | options
    training = rfav_cli.train(
        data=folder / "train.npz",
        validation=str(folder / "truth.npz"),
        out=out,
        mean=MEAN,
        std=STD,
        optimizer="adam" if run.optimizer == "adam" else "sgd",
        momentum=0.9 if run.optimizer == "momentum" else 0.0,
        seed=seed,
        workers=0,
        **given,
    )
    return [dict(row) for row in training.rows]


if __name__ == "__main__":
    main()
