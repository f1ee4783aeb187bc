"""Measure the trainings with rfav and keep what a verdict rests on: `python -m benchmarks.detection.measure --out DIR`.

DIR is where `benchmarks.detection.train` put its trainings. Of each finished one the probe is measured with
`rfav_cli.analyze`; of the first 64 images that it was trained on, too; and the probe without its labels, whose images
are then moved (NAME.moved.npz). What is small of them is committed in
`benchmarks/detection/runs`: the probe's store without images, heatmaps, sketches and entropies of single images;
`curves.json`, for the table of candidates; and `truth.json`. Normalised nets of the first 64 were measured before the
normalisation, as was the default then; their `curves.json` has them with it folded in as well.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import rfav_cli
from benchmarks.detection.cases import NOT_FINITE, RUNS, table
from benchmarks.detection.configurations import FIRST, Configuration, split
from benchmarks.detection.regimes import model_spec
from benchmarks.detection.train import MEAN, STD
from rfav_cli.activations import specs
from rfav_cli.activations.network import OpenOptions
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.find import find_checkpoints
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.measure.checkpoint import score_moved
from rfav_cli.measure.device import exact_arithmetic
from rfav_cli.measure.setup import open_run
from rfav_cli.records import Checkpoint, Measurement, Settings
from rfav_cli.store import StoreWriter, open_store, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from rfav_cli.records import History

PROBE, TRAINING, MOVED = "probe", "training-probe", "moved"
LEFT_OUT = (
    "entropy/map/",
    "entropy/mean_map/",
    "entropy/sample_mean",
    "correlation/histogram",
    "checkpoint/sketch",
    "activation/winners/",
    "train/sample_loss",
)
"""What columns begin with that are not committed."""
NARROW = {
    "probe/sample_loss": np.float16,
    "probe/sample_calibrated_loss": np.float16,
    "probe/sample_confidence": np.float16,
    "probe/sample_prediction": np.int8,
    "train/sample_confidence": np.float16,
}
"""Column -> the type that it is committed in: 11 significant bits, and up to 128 classes."""
FIGURES = ("disagreement", "uncertainty")
"""Of each moved image."""
BATCH = 100
"""Images a forward of those."""
NEAR_ZERO = 0.05
"""Share of ln D below which the entropy of a position counts as none."""


def main() -> None:
    """Measure what is trained and not committed yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the trainings are")
    parser.add_argument("--only", default="", help="trainings whose name has this in it")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, a core each")
    parser.add_argument("--views", nargs="*", default=[PROBE, TRAINING, MOVED], help="measure these only")
    parser.add_argument("--again", action="store_true", help="measure anew what is committed too")
    options = parser.parse_args()
    trained = [
        each
        for each in finished(options.out)
        if options.only in each.name
        and (options.again or options.views == [MOVED] or not (RUNS / f"{each.name}.h5").exists())
    ]
    work = partial(measure, out=options.out, views=options.views)
    curves = {}
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for configuration, found in zip(trained, pool.map(work, trained), strict=True):
            curves[configuration.name] = found
            print(configuration.name, flush=True)
    if PROBE in options.views:
        add_rows("truth", {each.name: read_truth(options.out / each.name) for each in trained})
    add_rows("curves", {name: found for name, found in curves.items() if found})


def finished(out: Path) -> list[Configuration]:
    """The configurations whose training is over."""
    return [each for half in split() for each in half if (out / each.name / "truth.json").exists()]


def measure(configuration: Configuration, out: Path, views: list[str]) -> dict[str, Any]:
    """Measure a training and commit its probe's store; gives its curves, once all views of it are there."""
    torch.set_num_threads(1)
    folder = out / configuration.name
    wanted = views_of(configuration)
    model, arguments = model_spec(configuration)
    for view in wanted:
        if view in views:
            rfav_cli.analyze(
                folder / "checkpoints",
                probe=folder / f"{view}.npz",
                train_probe=folder / f"{TRAINING}.npz" if view == PROBE else None,
                model=model,
                model_arg=arguments,
                mean=MEAN,
                std=STD,
                out=folder / f"{view}.h5",
                fresh=True,
            )
    stores = {view: folder / f"{view}.h5" for view in wanted}
    if PROBE in views:
        strip(stores[PROBE], RUNS / f"{configuration.name}.h5", configuration)
    if MOVED in views:
        add_moved(configuration, folder)
    whole = configuration.family == FIRST and all(path.exists() for path in stores.values())
    return curves_of(stores) if whole else {}


def views_of(configuration: Configuration) -> tuple[str, ...]:
    """What is measured of a training."""
    return (PROBE, TRAINING) if configuration.family == FIRST else (PROBE,)


def strip(store: Path, target: Path, configuration: Configuration) -> None:
    """Write a store anew without what is large and what says where it was made."""
    history = open_store(store)
    probe = replace(history.run.probe, thumbnails=None, source=f"{configuration.data}, held out")
    train_probe = history.run.train_probe and replace(history.run.train_probe, source=f"{configuration.data}, training")
    settings = replace(history.run.settings, maps=0)
    run = replace(history.run, probe=probe, train_probe=train_probe, settings=settings)
    columns = {name: column for name, column in history.columns.items() if not name.startswith(LEFT_OUT)}
    target.parent.mkdir(exist_ok=True)
    writer = StoreWriter.open(target, run, fresh=True)
    for row, checkpoint in enumerate(history.checkpoints):
        values = {name: np.asarray(column[row]) for name, column in columns.items()}
        narrow = {name: value.astype(NARROW.get(name, value.dtype)) for name, value in values.items()}
        writer.append(Measurement(replace(checkpoint, path=Path(checkpoint.path).name), narrow))
    pack(target)


def add_moved(configuration: Configuration, folder: Path) -> None:
    """Measure the probe without its labels, and commit beside its store what the moved images gave."""
    with np.load(folder / f"{PROBE}.npz") as probe:
        np.savez(folder / f"{MOVED}.npz", images=probe["images"])
    model, arguments = model_spec(configuration)
    samples = load_probe(str(folder / f"{MOVED}.npz"), options=SampleOptions(mean=MEAN, std=STD), thumbnails=0)
    opening = OpenOptions(torch.device("cpu"), specs.net_maker(model, arguments))
    files = find_checkpoints([str(folder / "checkpoints")]).entries
    setup = open_run(files, samples, ReadOptions(), opening, Settings())
    found = []
    for file in files:
        setup.network.load(formats.read(file.path, ReadOptions()))
        with exact_arithmetic():
            found.append(score_moved(setup, BATCH, Checkpoint(file.epoch, str(file.path), "")))
    differs, unsure = (np.stack([each[f"moved/sample_{name}"] for each in found]) for name in FIGURES)
    np.savez_compressed(
        RUNS / f"{configuration.name}.moved.npz",
        epoch=[file.epoch for file in files],
        disagreement=differs.astype(np.uint8),
        # Hundredths pack well; the mean of a thousand of them is right to four decimals.
        uncertainty=np.where(np.isfinite(unsure), np.rint(100 * unsure), NOT_FINITE).astype(np.uint8),
    )


def curves_of(stores: Mapping[str, Path]) -> dict[str, Any]:
    """What else the table of candidates needs: (E, L) each, by layer and with four decimals."""
    probe = open_store(stores[PROBE])
    curves: dict[str, NDArray[Any]] = {
        "training": open_store(stores[TRAINING]).entropy,
        "spread": np.stack([row.std(1) for row in np.asarray(probe.columns["entropy/sample_mean"])]),
        "near_zero": np.stack(list(_near_zero(probe)), 1),
    }
    return {name: np.round(values, 4).tolist() for name, values in curves.items()}


def _near_zero(history: History) -> Iterator[NDArray[Any]]:
    """Of each layer, (E,): the share of positions almost without entropy, over the images that maps are kept of."""
    for layer in history.run.layers:
        limit = NEAR_ZERO * layer.max_entropy
        maps = history.maps(layer.name)
        yield np.array([(np.asarray(maps[row]) < limit).mean() for row in range(len(history))])


def read_truth(folder: Path) -> dict[str, list[float | None]]:
    """What a training left, a list for each of epoch, losses and accuracy; None where a figure is not finite."""
    rows = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["epochs"]
    return {name: [None if row[name] is None else round(row[name], 6) for row in rows] for name in rows[0]}


def add_rows(name: str, rows: Mapping[str, Any]) -> None:
    """Put rows into `runs/NAME.json`, a line a run, in the place of those of the same runs."""
    merged = table(name) | dict(rows)
    dump: Callable[[Any], str] = partial(json.dumps, separators=(",", ":"))
    lines = [f"{dump(run)}: {dump(merged[run])}" for run in sorted(merged)]
    (RUNS / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
