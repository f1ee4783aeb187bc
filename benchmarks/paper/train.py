"""Train what is not trained yet: `python -m benchmarks.paper.train --scale cpu --data DIR --out DIR`.

Each training leaves a folder with its log and its store, as `rfav train` does. The command can be stopped at any time
and given again; it goes on where it was. It exits with 0 when all that was asked for is trained, with 1 when there is
more to do, and with 2 when a training broke down or there are no data.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import rfav_cli
from benchmarks.detection.train import write_json
from benchmarks.inputs import machine
from benchmarks.paper.data import prepare
from benchmarks.paper.experiments import SCALES, Cell, Scale, cells
from benchmarks.paper.results import MACHINE, is_done

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_interrupted = threading.Event()


def main() -> int:
    """The command line; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=[*SCALES], default="cpu")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="where the trainings go")
    parser.add_argument("--only", default="", help="trainings whose name has this in it")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time, a core each")
    parser.add_argument("--minutes", type=float, help="stop after so many, to be gone on with")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--list", action="store_true", help="say what there is to train, and train nothing")
    options = parser.parse_args()
    deadline = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    scale = SCALES[options.scale]
    chosen = [cell for cell in cells(scale) if options.only in cell.name]
    missing = [cell for cell in chosen if not is_done(options.out, cell)]
    print(f"{len(chosen)} trainings, {len(missing)} to be done", flush=True)
    if options.list:
        print("\n".join(f"{cell.name}, {cell.epochs} epochs" for cell in missing))
        return 0
    _stop_on_signals()
    try:
        ends = run_all(missing, scale, options.data, options.out, options.device, options.jobs, deadline)
    except rfav_cli.RfavError as error:
        print(error, file=sys.stderr)
        return 2
    return max(ends, default=0)


def run_all(
    chosen: Sequence[Cell], scale: Scale, data: Path, out: Path, device: str, jobs: int, deadline: float | None
) -> list[int]:
    """Train cells, so many at a time; gives an exit code for each."""
    for name in dict.fromkeys(cell.data for cell in chosen):
        if not _stopping(deadline):
            prepare(data, out, scale, name)
    if jobs == 1:
        return [_told(*run(cell, scale, data, out, device, deadline)) for cell in chosen]
    ends = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_stop_on_signals) as pool:
        for wave in _waves(chosen):
            started = [pool.submit(run, cell, scale, data, out, device, deadline) for cell in wave]
            ends += [_told(*done.result()) for done in as_completed(started)]
    return ends


def _waves(chosen: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Cells that may be trained at once: the long trainings go on in the folders of the short ones."""
    left = list(chosen)
    while left:
        wave = {cell.name: cell for cell in reversed(left)}
        yield [cell for cell in left if wave[cell.name] is cell]
        left = [cell for cell in left if wave[cell.name] is not cell]


def run(cell: Cell, scale: Scale, data: Path, out: Path, device: str, deadline: float | None) -> tuple[str, int]:
    """Train one, or go on with it.

    Args:
        cell: what to train.
        scale: of the experiments.
        data: folder of the data sets.
        out: where the trainings go.
        device: as `rfav_cli.train` takes it.
        deadline: on the clock `time.monotonic`, which processes of a machine share.

    Returns:
        What became of it, and an exit code; see above.
    """
    if _stopping(deadline):
        return "", 1
    torch.set_num_threads(1)
    start = time.process_time()
    samples = prepare(data, out, scale, cell.data)
    mean, std = samples.preset
    try:
        training = rfav_cli.train(
            data=samples.training,
            validation=samples.validation,
            probe=samples.probe if cell.seed == scale.seeds[0] else None,  # the figures show the first seed
            out=out / cell.name,
            model=cell.model,
            model_arg=(f"classes={samples.classes}", f"image_size={samples.size}"),
            recipe=cell.recipe,
            optimizer="adam" if cell.optimizer == "adam" else "sgd",
            momentum=0.0 if cell.optimizer == "adam" else scale.momentum,
            epochs=cell.epochs,
            seed=cell.seed,
            mean=mean,
            std=std,
            keep=1,
            resume=True,
            device=device,
            amp=cell.size in scale.amp,
            should_stop=lambda: _stopping(deadline),
        )
    except rfav_cli.RfavError as error:
        return f"{cell.name}: broke down: {error}", 2
    write_json(out / cell.name / MACHINE, machine(_device(device)))
    best = max(row["validation_accuracy"] for row in training.rows) if training.rows else 0.0
    where = f"epoch {training.rows[-1]['epoch']}" if training.rows else "its start"
    said = f"best accuracy {best:.4f}" if training.ended else f"stopped at {where} of {cell.epochs}"
    return f"{cell.name}: {said}, {time.process_time() - start:.0f} s of CPU", 0 if training.ended else 1


def _device(name: str) -> str:
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def _told(text: str, end: int) -> int:
    if text:
        print(text, flush=True)
    return end


def _stopping(deadline: float | None) -> bool:
    return _interrupted.is_set() or (deadline is not None and time.monotonic() > deadline)


def _stop_on_signals() -> None:
    """Let the step under way end before the process does."""

    def interrupt(*_: Any) -> None:
        _interrupted.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt)


if __name__ == "__main__":
    raise SystemExit(main())
