"""How long `rfav analyze` takes, as a ratio to the plain forward of the same net on the same images.

Four ways are run in turns (A B C D A B C D ...), so that whatever else the machine does meets all of them, and each
ratio is of two neighbours in time:

- default: the plain forward as it is mostly written: NCHW, batches of 250;
- best: the plain forward at its fastest: channels last, the best of some batch sizes;
- script: the same job as a user writes it by hand: forward hooks, log_softmax, h5py; one checkpoint;
- rfav: the whole job through `rfav_cli.analyze`: reading checkpoints and probe, all statistics, the store.

Each way has a process of its own, as a user's would, so that none runs in the memory that another has set up. Times are
a checkpoint's; the start of the process and its imports are left out. `--clock cpu` counts the processor's
seconds in place of the wall's, for a machine that others use as well.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import multiprocessing
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import torch
from torch import nn

import rfav_cli
from benchmarks.inputs import (
    factory_of,
    machine,
    make_net,
    print_table,
    read_probe,
    write_checkpoints,
    write_json,
    write_probe,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

DEFAULT_BATCH = 250
BEST_BATCHES = (50, 100)
WAYS = ("default", "best", "script", "rfav")
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class Task:
    """One way of one net, and the options."""

    net: str
    way: str
    folder: Path
    device: str
    threads: int
    images: int
    checkpoints: int
    clock: str


def forward(net: nn.Module, batches: list[Tensor]) -> None:
    """The plain forward over all images."""
    with torch.inference_mode():
        for batch in batches:
            output = net(batch)
    output.sum().item()  # waits for a GPU


def script(net: nn.Module, batches: list[Tensor], paths: list[Path], out: Path) -> None:
    """The same job by hand: per-position entropies of all layers but the last, their means and mean maps."""
    layers = {name: layer for name, layer in net.named_modules() if isinstance(layer, (nn.Conv2d, nn.Linear))}
    layers.popitem()
    entropies: dict[str, list[Tensor]] = {}

    def hook(name: str, layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        a = output if layer.bias is None else output - layer.bias.view(-1, *[1] * (output.ndim - 2))
        log_p = torch.log_softmax(a, dim=1)
        entropies[name].append(-(log_p.exp() * log_p).sum(1).cpu())

    handles = [layer.register_forward_hook(partial(hook, name)) for name, layer in layers.items()]
    with h5py.File(out, "w") as file, torch.inference_mode():
        for path in paths:
            net.load_state_dict(torch.load(path, weights_only=True))
            entropies |= {name: [] for name in layers}
            for batch in batches:
                net(batch)
            for name, parts in entropies.items():
                values = torch.cat(parts)
                file[f"{path.stem}/{name}/mean"] = float(values.double().mean())
                file[f"{path.stem}/{name}/map"] = values.mean(0).numpy()
    for handle in handles:
        handle.remove()


def fastest_batches(net: nn.Module, images: Tensor) -> list[Tensor]:
    """The images in batches of the size whose forward is the fastest here."""
    choices = [list(images.split(size)) for size in BEST_BATCHES]
    times = [min(timed(partial(forward, net, batches), time.perf_counter) for _ in range(2)) for batches in choices]
    return choices[times.index(min(times))]


def timed(call: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Seconds."""
    start = clock()
    call()
    return clock() - start


def rfav(task: Task, paths: list[Path], images: int) -> None:
    """The whole job by rfav."""
    rfav_cli.analyze(
        paths,
        probe=task.folder / "probe.npz",
        probe_size=images,
        model=factory_of(task.net),
        out=task.folder / f"{task.net}.h5",
        fresh=True,
        device=task.device,
    )


@functools.cache
def prepare(task: Task) -> Callable[[], Any]:
    """Whatever the way needs beforehand, a little of it to warm up, and its call; once a process."""
    torch.set_num_threads(task.threads)
    paths = sorted((task.folder / task.net).glob("*.pt"))
    if task.way == "rfav":
        rfav(task, paths[:1], DEFAULT_BATCH)
        return partial(rfav, task, paths, task.images)
    net = make_net(task.net).eval().to(task.device)
    images = read_probe(task.folder / "probe.npz").to(task.device)
    if task.way == "best":
        net.to(memory_format=torch.channels_last)
        return partial(forward, net, fastest_batches(net, images.contiguous(memory_format=torch.channels_last)))
    batches = list(images.split(DEFAULT_BATCH))
    call = partial(script, net, paths=paths[:1], out=task.folder / f"{task.net}-script.h5")
    if task.way == "default":
        call = partial(forward, net)
    call(batches[:1])
    return partial(call, batches)


def run(task: Task) -> float:
    """Seconds of one checkpoint, here, in the process of this way."""
    seconds = timed(prepare(task), CLOCKS[task.clock])
    return seconds / task.checkpoints if task.way == "rfav" else seconds


def measure(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Times and paired ratios of one net."""
    write_checkpoints(name, folder / name, options.checkpoints)
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    with contextlib.ExitStack() as stack:
        pools = {way: stack.enter_context(ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))) for way in WAYS}
        for _ in range(options.rounds):
            for way, pool in pools.items():
                task = Task(
                    name,
                    way,
                    folder,
                    options.device,
                    options.threads,
                    options.images,
                    options.checkpoints,
                    options.clock,
                )
                times[way].append(pool.submit(run, task).result())
    ratios = {}
    for way in ("rfav", "script"):
        for floor in ("default", "best"):
            pairs = [a / b for a, b in zip(times[way], times[floor], strict=True)]
            ratios[f"{way} / {floor}"] = [min(pairs), statistics.median(pairs), max(pairs)]
    return {"net": name, "seconds": {way: statistics.median(values) for way, values in times.items()}, "ratios": ratios}


def row(result: dict[str, Any], way: str) -> dict[str, str]:
    """One way of one net, as it is printed."""
    cells = {"net": result["net"], "way": way, "ms": f"{1000 * result['seconds'][way]:.0f}"}
    for floor in ("default", "best"):
        ratio = result["ratios"].get(f"{way} / {floor}")
        cells[f"/ {floor}"] = "{1:.2f} ({0:.2f}-{2:.2f})".format(*ratio) if ratio else ""
    return cells


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--nets", nargs="+", default=["vanillanet-s", "vanillanet-m"], help="vanillanet-* or torchvision's"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--checkpoints", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_probe(Path(folder) / "probe.npz", options.images)
        results = [measure(name, Path(folder), options) for name in options.nets]
    rows = [row(result, way) for result in results for way in WAYS]
    print_table(f"A checkpoint on {options.images} images: medians, ratios with (min-max)", rows)
    write_json(
        options.out, {"machine": machine(options.device), "options": {**vars(options), "out": None}, "results": results}
    )


if __name__ == "__main__":
    main()
